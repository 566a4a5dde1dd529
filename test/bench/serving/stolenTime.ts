import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

const ticksPerSecond = 100;
/** A share of the time of all processors. What the host takes away beyond it is to be seen in any figure. */
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
 * Measures until the host leaves this machine its processors meanwhile; of turns that are all disturbed the least one
 * counts. A host that takes processors away (the `steal` of proc(5)) empties their caches too, so that processor time
 * grows as well.
 */
export async function undisturbed<Result>(turn: () => Promise<Result>): Promise<Undisturbed<Result>> {
  let best: { readonly result: Result; readonly stolen: number } | null = null;
  for (let turns = 1; ; turns++) {
    const before = stolenSeconds();
    const began = performance.now();
    const result = await turn();
    const seconds = ((performance.now() - began) / 1000) * cpus().length;
    const stolen = (stolenSeconds() - before) / seconds;
    if (!best || stolen < best.stolen) best = { result, stolen };
    const disturbed = best.stolen > tolerated;
    if (!disturbed || turns === mostTurns) return { result: best.result, repeated: turns - 1, disturbed };
  }
}

/** Of all processors, since the machine started; 0 where nothing tells it. */
function stolenSeconds(): number {
  if (process.platform !== 'linux') return 0;
  const [, , , , , , , , stolen = '0'] = readFileSync('/proc/stat', 'utf8').split(/\s+/, 9);
  return Number(stolen) / ticksPerSecond;
}
