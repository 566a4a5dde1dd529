import type { ChosenVersion } from './modelRepository.ts';
import { type MetricFamily, numberText, type Sample } from './prometheusText.ts';

/** How long requests took by model, version, variant and class of status, since the process started. */
export interface RequestHistogram {
  /** @param chosen null for a request that was refused before a version was chosen. */
  observe(chosen: ChosenVersion | null, status: number, microseconds: number): void;
  families(): readonly MetricFamily[];
}

/** Upper bounds in seconds, inclusive. */
const bounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

interface Series {
  readonly model: string;
  readonly version: number;
  readonly variant: string;
  /** As `2xx`. */
  readonly status: string;
  /** One more than there are bounds. */
  readonly counts: Float64Array;
  seconds: number;
}

export function createRequestHistogram(): RequestHistogram {
  const series = new Map<string, Series>();
  const refused = new Map<string, number>();
  return {
    observe(chosen, status, microseconds) {
      const statusClass = `${Math.floor(status / 100)}xx`;
      if (!chosen) {
        refused.set(statusClass, (refused.get(statusClass) ?? 0) + 1);
        return;
      }
      const { name, version } = chosen.loaded;
      const key = `${statusClass}/${chosen.variant}/${version}/${name}`;
      let entry = series.get(key);
      if (!entry) {
        const counts = new Float64Array(bounds.length + 1);
        entry = { model: name, version, variant: chosen.variant, status: statusClass, counts, seconds: 0 };
        series.set(key, entry);
      }
      const seconds = microseconds / 1e6;
      const found = bounds.findIndex((bound) => seconds <= bound);
      const bucket = found === -1 ? bounds.length : found;
      entry.counts[bucket] = (entry.counts[bucket] ?? 0) + 1;
      entry.seconds += seconds;
    },
    families: () => [
      {
        name: 'slipway_request_duration_seconds',
        help: 'How long prediction requests took from their first byte to their answer.',
        type: 'histogram',
        samples: [...series.values()].flatMap(histogramSamples),
      },
      {
        name: 'slipway_refused_requests_total',
        help: 'Prediction requests that were refused before it was known which version they are for.',
        type: 'counter',
        samples: [...refused].map(([status, value]) => ({ labels: { status }, value })),
      },
    ],
  };
}

function histogramSamples({ model, version, variant, status, counts, seconds }: Series): readonly Sample[] {
  const labels = { model, version: String(version), variant, status };
  let cumulated = 0;
  const buckets = Array.from(counts, (count, bucket): Sample => {
    cumulated += count;
    const le = numberText(bounds[bucket] ?? Number.POSITIVE_INFINITY);
    return { suffix: '_bucket', labels: { ...labels, le }, value: cumulated };
  });
  return [
    ...buckets,
    { suffix: '_sum', labels, value: seconds },
    { suffix: '_count', labels, value: cumulated },
  ];
}
