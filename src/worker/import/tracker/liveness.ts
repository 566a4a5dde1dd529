/**
 * Trackers whose files have no mark for the end of a run: one that was silent for so long trains no more. TensorBoard's
 * writers write every two minutes at the latest, Weights & Biases its system metrics every half minute.
 */
const silence = 10 * 60 * 1000;

/** When a silent run can be told from one that trains, in milliseconds after its last word. */
export const settledAfter = silence + 1000;

/**
 * Whether a run may still be training, by when it last wrote something, in UTC milliseconds. A time that lies far ahead was
 * told by a wrong clock, and says nothing.
 */
export function isLive(lastWritten: number): boolean {
  return Math.abs(Date.now() - lastWritten) < silence;
}
