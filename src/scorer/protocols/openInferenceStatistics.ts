import type { InferenceCounters } from '../inferenceCounters.ts';
import type { LoadedVersion, ModelRepository } from '../modelRepository.ts';
import type { Duration } from '../requestCounters.ts';
import { describedVersion } from './openInferenceMetadata.ts';

/**
 * The statistics extension
 * (https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md), over HTTP and gRPC.
 * Inputs and outputs are no step of their own here, so their durations are zero, and nothing is cached.
 */

export interface StatisticDuration {
  readonly count: number;
  /** Nanoseconds. */
  readonly ns: number;
}

export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** UTC milliseconds. */
  readonly last_inference: number;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<Record<InferenceStep, StatisticDuration>>;
  readonly batch_stats: readonly {
    readonly batch_size: number;
    readonly compute_input: StatisticDuration;
    readonly compute_infer: StatisticDuration;
    readonly compute_output: StatisticDuration;
  }[];
}

export type InferenceStep =
  | 'success'
  | 'fail'
  | 'queue'
  | 'compute_input'
  | 'compute_infer'
  | 'compute_output'
  | 'cache_hit'
  | 'cache_miss';

/**
 * Of one version, of all versions of a model, or of all models.
 *
 * @throws RequestProblem 404 when there is no such model or version.
 */
export function modelStatistics(
  models: ModelRepository,
  counters: InferenceCounters,
  name: string | undefined,
  version: string | undefined,
): readonly ModelStatistics[] {
  return askedVersions(models, name, version).map((loaded) => statisticsOf(loaded, counters));
}

function askedVersions(
  models: ModelRepository,
  name: string | undefined,
  version: string | undefined,
): readonly LoadedVersion[] {
  const ascending = (known: string) =>
    models.versions(known).toSorted((left, right) => left.version - right.version);
  if (name === undefined) return models.names().flatMap(ascending);
  const described = describedVersion(models, name, version);
  return version === undefined ? ascending(name) : [described];
}

function statisticsOf({ name, version }: LoadedVersion, counters: InferenceCounters): ModelStatistics {
  const counts = counters.of({ name, version });
  const none = { count: 0, ns: 0 };
  const compute = statistic(counts.compute);
  const instant = { count: compute.count, ns: 0 };
  return {
    name,
    version: String(version),
    last_inference: counts.lastInference,
    inference_count: counts.rowCount,
    execution_count: counts.runCount,
    inference_stats: {
      success: statistic(counts.success),
      fail: statistic(counts.failure),
      queue: statistic(counts.queue),
      compute_input: instant,
      compute_infer: compute,
      compute_output: instant,
      cache_hit: none,
      cache_miss: none,
    },
    batch_stats: counts.batches.map(({ rows, compute: run }) => ({
      batch_size: rows,
      compute_input: { count: run.count, ns: 0 },
      compute_infer: statistic(run),
      compute_output: { count: run.count, ns: 0 },
    })),
  };
}

function statistic({ count, microseconds }: Duration): StatisticDuration {
  return { count, ns: Math.round(microseconds * 1000) };
}
