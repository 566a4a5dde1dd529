import type { EndpointLive } from '../../protocol/serving.ts';
import { latencyPercentile } from '../../statistics/latencyHistogram.ts';
import { add, emptyTotals, keyOf, type StatisticsDelta, type VariantTotals } from './endpointStatistics.ts';

/** What an endpoint was asked of late, by the second. */
export interface LiveSeries {
  /** @param now UTC milliseconds at which it was told. */
  add(delta: StatisticsDelta, now: number): void;
  /** One point a second since a moment, the last whole second included. */
  since(from: number, now: number): Pick<EndpointLive, 'times' | 'variants'>;
  /** What each variant was asked since `recentBegin`, by `keyOf`. */
  recent(milliseconds: number, now: number): ReadonlyMap<string, VariantTotals>;
}

const keptSeconds = 15 * 60;
const second = 1000;

/** When the second began in which so many milliseconds before now lie: what was asked is counted by the second. */
export function recentBegin(duration: number, now: number): number {
  return Math.floor((now - duration) / second) * second;
}

export function createLiveSeries(): LiveSeries {
  /** Oldest first; seconds without requests have none. */
  let points: { readonly second: number; readonly variants: Map<string, VariantTotals> }[] = [];

  return {
    add({ variants }, now) {
      if (variants.length === 0) return;
      const current = Math.floor(now / second);
      let last = points.at(-1);
      if (last === undefined || last.second < current) {
        last = { second: current, variants: new Map() };
        points.push(last);
        const oldest = current - keptSeconds;
        if ((points[0]?.second ?? current) < oldest)
          points = points.filter((point) => point.second >= oldest);
      }
      for (const variant of variants) {
        const key = keyOf(variant);
        const total = last.variants.get(key) ?? emptyTotals(variant);
        last.variants.set(key, total);
        add(total, variant);
      }
    },
    since(from, now) {
      const end = Math.floor(now / second);
      const begin = Math.max(Math.ceil(from / second), end - keptSeconds);
      const shown = points.filter((point) => point.second >= begin && point.second < end);
      const bySecond = new Map(shown.map((point) => [point.second, point.variants]));
      const seconds = Array.from({ length: Math.max(0, end - begin) }, (_, index) => begin + index);
      const known = new Map(shown.flatMap(({ variants }) => [...variants]));
      return {
        times: seconds.map((at) => at * second),
        variants: [...known.values()].map((variant) => {
          const key = keyOf(variant);
          const counted = seconds.map((at) => bySecond.get(at)?.get(key));
          const percentile = (share: number) => counted.map((totals) => milliseconds(totals, share));
          return {
            name: variant.variant,
            model: variant.model,
            version: variant.version,
            requests: counted.map((totals) => totals?.requestCount ?? 0),
            errors: counted.map((totals) => totals?.errorCount ?? 0),
            latencyP50: percentile(0.5),
            latencyP95: percentile(0.95),
            latencyP99: percentile(0.99),
          };
        }),
      };
    },
    recent(duration, now) {
      const sums = new Map<string, VariantTotals>();
      for (let index = points.length - 1; index >= 0; index--) {
        const point = points[index];
        if (!point || point.second * second < recentBegin(duration, now)) break;
        for (const [key, variant] of point.variants) {
          const sum = sums.get(key) ?? emptyTotals(variant);
          sums.set(key, sum);
          add(sum, variant);
        }
      }
      return sums;
    },
  };
}

/** A percentile of latencies in milliseconds; null when there are none. */
export function milliseconds(totals: VariantTotals | undefined, share: number): number | null {
  const microseconds = totals ? latencyPercentile(totals.latencies, share) : null;
  return microseconds === null ? null : microseconds / 1000;
}
