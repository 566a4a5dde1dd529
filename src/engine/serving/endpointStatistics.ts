import type { ShadowStatistics, VariantStatistics } from '../../protocol/scorer.ts';
import { latencyBucketCount } from '../../statistics/latencyHistogram.ts';
import type { ScorerStatistics } from '../../supervision/scorerProcess.ts';

/** What one variant of an endpoint was asked since the engine started, over all of its processes. */
export interface VariantTotals {
  readonly model: string;
  readonly version: number;
  readonly variant: string;
  requestCount: number;
  errorCount: number;
  failureCount: number;
  rowCount: number;
  /** Counts by bucket of `src/statistics/latencyHistogram.ts`. */
  readonly latencies: Uint32Array;
}

/** What an endpoint was asked since the engine started. Only grows. */
export interface EndpointStatistics {
  readonly variants: readonly VariantTotals[];
  readonly shadows: readonly ShadowStatistics[];
  /** Requests that were refused before it was known which model they are for. */
  readonly refusedCount: number;
}

/** What came in addition with one message of a scorer. */
export interface StatisticsDelta {
  readonly variants: readonly VariantTotals[];
  readonly refused: number;
}

/** Adds up what processes tell, each of which counts from its own start. */
export interface StatisticsSum {
  totals(): EndpointStatistics;
  /** The source of one process; what it told stays when it ends. */
  source(): (statistics: ScorerStatistics) => StatisticsDelta;
}

export function createStatisticsSum(): StatisticsSum {
  const totals = new Map<string, VariantTotals>();
  /** By source: each tells its own shadows, and nobody else's. */
  const shadowsOf = new Map<object, readonly ShadowStatistics[]>();
  let refusedCount = 0;

  return {
    totals: () => ({
      variants: [...totals.values()],
      shadows: addShadows([...shadowsOf.values()].flat()),
      refusedCount,
    }),
    source() {
      const source = {};
      const before = new Map<string, VariantStatistics>();
      let refusedBefore = 0;
      return (statistics) => {
        const variants = statistics.variants.map((variant) => {
          const key = keyOf(variant);
          const delta = difference(variant, before.get(key));
          before.set(key, variant);
          const total = totals.get(key) ?? emptyTotals(variant);
          totals.set(key, total);
          add(total, delta);
          return delta;
        });
        // What came of a process stays for ever, so that one without shadows leaves nothing.
        if (statistics.shadows.length > 0) shadowsOf.set(source, statistics.shadows);
        const refused = statistics.refusedCount - refusedBefore;
        refusedBefore = statistics.refusedCount;
        refusedCount += refused;
        return { variants: variants.filter(({ requestCount }) => requestCount > 0), refused };
      };
    },
  };
}

export function keyOf({
  model,
  version,
  variant,
}: Pick<VariantTotals, 'model' | 'version' | 'variant'>): string {
  return `${variant}/${version}/${model}`;
}

/** Counts of nothing yet. */
export function emptyTotals({
  model,
  version,
  variant,
}: Pick<VariantTotals, 'model' | 'version' | 'variant'>): VariantTotals {
  return {
    model,
    version,
    variant,
    requestCount: 0,
    errorCount: 0,
    failureCount: 0,
    rowCount: 0,
    latencies: new Uint32Array(latencyBucketCount),
  };
}

/** Adds counts to a total. */
export function add(total: VariantTotals, delta: VariantTotals): void {
  total.requestCount += delta.requestCount;
  total.errorCount += delta.errorCount;
  total.failureCount += delta.failureCount;
  total.rowCount += delta.rowCount;
  for (const [bucket, count] of delta.latencies.entries()) {
    if (count > 0) total.latencies[bucket] = (total.latencies[bucket] ?? 0) + count;
  }
}

function difference(now: VariantStatistics, before: VariantStatistics | undefined): VariantTotals {
  const delta = emptyTotals(now);
  delta.requestCount = now.requestCount - (before?.requestCount ?? 0);
  delta.errorCount = now.errorCount - (before?.errorCount ?? 0);
  delta.failureCount = now.failureCount - (before?.failureCount ?? 0);
  delta.rowCount = now.rowCount - (before?.rowCount ?? 0);
  for (const [bucket, count] of now.latencies) delta.latencies[bucket] = count;
  for (const [bucket, count] of before?.latencies ?? []) {
    delta.latencies[bucket] = (delta.latencies[bucket] ?? 0) - count;
  }
  return delta;
}

/** One for each pair of versions. */
function addShadows(shadows: readonly ShadowStatistics[]): readonly ShadowStatistics[] {
  const sums = new Map<string, ShadowStatistics>();
  for (const shadow of shadows) {
    const key = `${shadow.stableVersion}/${shadow.shadowVersion}/${shadow.model}`;
    const known = sums.get(key);
    sums.set(key, known ? addShadow(known, shadow) : shadow);
  }
  return [...sums.values()];
}

function addShadow(one: ShadowStatistics, other: ShadowStatistics): ShadowStatistics {
  const rows = one.comparedRows + other.comparedRows;
  return {
    ...one,
    comparedRows: rows,
    equalRows: one.equalRows + other.equalRows,
    failedRequests: one.failedRequests + other.failedRequests,
    skippedRequests: one.skippedRequests + other.skippedRequests,
    outputs: one.outputs.map((output, index) => {
      const also = other.outputs[index];
      if (!also) return output;
      return {
        name: output.name,
        equalRows: output.equalRows === null ? null : output.equalRows + (also.equalRows ?? 0),
        meanAbsoluteDifference: weightedMean(
          output.meanAbsoluteDifference,
          one.comparedRows,
          also.meanAbsoluteDifference,
          other.comparedRows,
        ),
        largestAbsoluteDifference: largest(output.largestAbsoluteDifference, also.largestAbsoluteDifference),
      };
    }),
  };
}

function weightedMean(one: number | null, oneWeight: number, other: number | null, otherWeight: number) {
  if (one === null || other === null) return one ?? other;
  const weight = oneWeight + otherWeight;
  return weight === 0 ? 0 : (one * oneWeight + other * otherWeight) / weight;
}

function largest(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
