const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const steps = [1, 2, 5, 10, 15, 30]
  .flatMap((count) => [count * second, count * minute])
  .concat([1, 2, 3, 6, 12, 24].map((count) => count * hour))
  .sort((one, other) => one - other);

/** Moments (UTC milliseconds) of a window at round times, at most so many. */
export function timeTicks(from: number, to: number, most: number): readonly number[] {
  const step = steps.find((one) => (to - from) / one <= most) ?? (to - from) / most;
  const first = Math.ceil(from / step) * step;
  const count = Math.max(0, Math.floor((to - first) / step) + 1);
  return Array.from({ length: count }, (_, index) => first + index * step);
}
