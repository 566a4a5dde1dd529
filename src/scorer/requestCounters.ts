import { rowCount } from '../inference/datatypes.ts';
import type { MetricFamily, MetricSample } from '../protocol/metricFamily.ts';
import type { VariantStatistics } from '../protocol/scorer.ts';
import type { Duration, VersionCounts } from '../protocol/scorerReading.ts';
import { latencyBucket, latencyBucketCount } from '../statistics/latencyHistogram.ts';
import { numberText } from './prometheusText.ts';
import type { Outcome } from './server.ts';

/** What each variant was asked, and how long its requests took, since the process started. */
export interface RequestCounters {
  /** A prediction request got its answer. */
  answered(outcome: Outcome): void;
  variants(): readonly VariantStatistics[];
  /** Requests that were refused before it was known which version they are for. */
  refusedCount(): number;
  /** For Prometheus: by model, version, variant and class of status. */
  families(): readonly MetricFamily[];
  /** What all variants of a version were asked. Zeros when it was never asked. */
  of(version: VersionKey): Pick<VersionCounts, 'lastInference' | 'success' | 'failure'>;
}

export interface VersionKey {
  readonly name: string;
  readonly version: number;
}

/** Upper bounds in microseconds, inclusive. */
const bounds = [
  ...[500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000],
  ...[1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000],
] as const;

/** Of the requests whose status begins with one digit. */
interface StatusCounts {
  /** As `2xx`. */
  readonly status: string;
  /** By `bounds`, and one more. */
  readonly counts: Float64Array;
  count: number;
  microseconds: number;
}

interface VariantCounts {
  readonly model: string;
  readonly version: number;
  readonly variant: string;
  /** By the first digit of the status. */
  readonly statuses: StatusCounts[];
  readonly latencies: Uint32Array;
  rowCount: number;
  lastInference: number;
}

/** The first digit of statuses that are errors, and of those that are failures of the server. */
const errors = 4;
const failures = 5;

export function createRequestCounters(): RequestCounters {
  // By name, version and variant: three look-ups cost less than a text that joins them.
  const models = new Map<string, Map<number, Map<string, VariantCounts>>>();
  const all: VariantCounts[] = [];
  const refused = new Map<string, number>();
  let refusedCount = 0;

  const find = ({ loaded: { name, version }, variant }: NonNullable<Outcome['chosen']>): VariantCounts => {
    const known = models.get(name)?.get(version)?.get(variant);
    if (known) return known;
    const created: VariantCounts = {
      model: name,
      version,
      variant,
      statuses: [],
      latencies: new Uint32Array(latencyBucketCount),
      rowCount: 0,
      lastInference: 0,
    };
    const versions = models.get(name) ?? new Map<number, Map<string, VariantCounts>>();
    const variants = versions.get(version) ?? new Map<string, VariantCounts>();
    models.set(name, versions.set(version, variants.set(variant, created)));
    all.push(created);
    return created;
  };
  return {
    answered({ chosen, prediction, status, latencyMicroseconds, receivedAt }) {
      const digit = Math.floor(status / 100);
      if (!chosen) {
        refusedCount++;
        const name = statusName(digit);
        refused.set(name, (refused.get(name) ?? 0) + 1);
        return;
      }
      const entry = find(chosen);
      entry.lastInference = receivedAt;
      if (prediction) entry.rowCount += rowCount(prediction.feeds);
      const latency = latencyBucket(latencyMicroseconds);
      entry.latencies[latency] = (entry.latencies[latency] ?? 0) + 1;
      const counts = entry.statuses[digit] ?? noRequests(digit);
      entry.statuses[digit] = counts;
      counts.count++;
      counts.microseconds += latencyMicroseconds;
      const bucket = bucketOf(latencyMicroseconds);
      counts.counts[bucket] = (counts.counts[bucket] ?? 0) + 1;
    },
    variants: () =>
      all.map(({ model, version, variant, statuses, rowCount, latencies }) => ({
        model,
        version,
        variant,
        requestCount: sum(statuses).count,
        errorCount: sum(statuses.slice(errors)).count,
        failureCount: sum(statuses.slice(failures)).count,
        rowCount,
        latencies: sparse(latencies),
      })),
    refusedCount: () => refusedCount,
    families: () => [
      {
        name: 'slipway_request_duration_seconds',
        help: 'How long prediction requests took from their first byte to their answer.',
        type: 'histogram',
        samples: all.flatMap(histogramSamples),
      },
      {
        name: 'slipway_refused_requests_total',
        help: 'Prediction requests that were refused before it was known which version they are for.',
        type: 'counter',
        samples: [...refused].map(([status, value]) => ({ labels: { status }, value })),
      },
    ],
    of({ name, version }) {
      const variants = [...(models.get(name)?.get(version)?.values() ?? [])];
      return {
        lastInference: Math.max(0, ...variants.map(({ lastInference }) => lastInference)),
        success: sum(variants.flatMap(({ statuses }) => statuses.slice(0, errors))),
        failure: sum(variants.flatMap(({ statuses }) => statuses.slice(errors))),
      };
    },
  };
}

function statusName(digit: number): string {
  return `${digit}xx`;
}

function noRequests(digit: number): StatusCounts {
  const counts = new Float64Array(bounds.length + 1);
  return { status: statusName(digit), counts, count: 0, microseconds: 0 };
}

function bucketOf(microseconds: number): number {
  let bucket = 0;
  while (bucket < bounds.length && microseconds > (bounds[bucket] ?? 0)) bucket++;
  return bucket;
}

/** Statuses of which there was none are holes in their list. */
function sum(statuses: readonly StatusCounts[]): Duration {
  let count = 0;
  let microseconds = 0;
  statuses.forEach((counts) => {
    count += counts.count;
    microseconds += counts.microseconds;
  });
  return { count, microseconds };
}

function sparse(latencies: Uint32Array): readonly (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  for (const [bucket, count] of latencies.entries()) if (count > 0) pairs.push([bucket, count]);
  return pairs;
}

function histogramSamples({ model, version, variant, statuses }: VariantCounts): readonly MetricSample[] {
  return statuses.flatMap(({ status, counts, microseconds }) => {
    const labels = { model, version: String(version), variant, status };
    let cumulated = 0;
    const buckets = Array.from(counts, (count, bucket): MetricSample => {
      cumulated += count;
      const bound = bounds[bucket];
      const le = numberText(bound === undefined ? Number.POSITIVE_INFINITY : bound / 1e6);
      return { suffix: '_bucket', labels: { ...labels, le }, value: cumulated };
    });
    return [
      ...buckets,
      { suffix: '_sum', labels, value: microseconds / 1e6 },
      { suffix: '_count', labels, value: cumulated },
    ];
  });
}
