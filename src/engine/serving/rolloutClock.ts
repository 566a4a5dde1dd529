/** When it is, and when something is due: the machine's own, or a test's. */
export interface RolloutClock {
  /** UTC milliseconds. */
  now(): number;
  /** Does some work later. @returns what calls it off. */
  after(milliseconds: number, work: () => void): () => void;
}

/** Node's timers fire at once when they are asked to wait longer. */
const longestMilliseconds = 2 ** 31 - 1;

export const machineClock: RolloutClock = {
  now: () => Date.now(),
  after(milliseconds, work) {
    const timer = setTimeout(work, Math.min(milliseconds, longestMilliseconds)).unref();
    return () => clearTimeout(timer);
  },
};
