import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const ticksPerSecond = 100;
/** Of the time of all processors: what the host takes away from this machine beyond it is to be seen in any figure. */
const tolerated = 0.03;
const mostTurns = 12;

export interface Undisturbed<Result> {
  readonly result: Result;
  /** Turns that were thrown away. */
  readonly repeated: number;
  /** Whether the host took too much away in this turn too, the last of so many. */
  readonly disturbed: boolean;
}

/**
 * Measures until the host leaves this machine its processors meanwhile, which has nothing to do with what is measured. A
 * host that takes them away (the `steal` of proc(5)) empties their caches too, so that processor time grows as well.
 */
export async function undisturbed<Result>(turn: () => Promise<Result>): Promise<Undisturbed<Result>> {
  for (let repeated = 0; ; repeated++) {
    const before = stolenSeconds();
    const began = performance.now();
    const result = await turn();
    const seconds = ((performance.now() - began) / 1000) * availableParallelism();
    const disturbed = stolenSeconds() - before > seconds * tolerated;
    if (!disturbed || repeated === mostTurns - 1) return { result, repeated, disturbed };
  }
}

/** Of all processors, since the machine started; 0 where nothing tells it. */
function stolenSeconds(): number {
  if (process.platform !== 'linux') return 0;
  const [, , , , , , , , stolen = '0'] = readFileSync('/proc/stat', 'utf8').split(/\s+/, 9);
  return Number(stolen) / ticksPerSecond;
}
