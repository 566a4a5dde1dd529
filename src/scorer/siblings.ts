import type { ScorerMessage } from '../protocol/scorer.ts';
import type { ScorerReading } from '../protocol/scorerReading.ts';

/** The other processes of the endpoint, which only its holder can reach. */
export interface Siblings {
  /** What each of them counts. */
  readings(): Promise<readonly ScorerReading[]>;
  /** Takes what the holder gathered. */
  gathered(id: number, readings: readonly ScorerReading[]): void;
}

export function createSiblings(tell: (message: ScorerMessage) => void): Siblings {
  const waiting = new Map<number, (readings: readonly ScorerReading[]) => void>();
  let last = 0;
  return {
    readings: () =>
      new Promise((resolve) => {
        const id = ++last;
        waiting.set(id, resolve);
        tell({ type: 'gather', id });
      }),
    gathered(id, readings) {
      waiting.get(id)?.(readings);
      waiting.delete(id);
    },
  };
}
