import type { CountedVersion, Duration } from '../../protocol/scorerReading.ts';
import { type CountedEndpoint, combineVersions, countVersions } from '../countedVersions.ts';
import { type ModelRepository, versionNumber } from '../modelRepository.ts';
import { describedVersion } from './openInferenceMetadata.ts';

/**
 * The statistics extension
 * (https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md), over HTTP and gRPC.
 * Inputs and outputs are no step of their own here, so their durations are zero, and nothing is cached. Where several
 * processes answer for an endpoint, the figures are those of all of them.
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
 * @throws RequestProblem 404 when no process of the endpoint has such a model or version.
 */
export async function modelStatistics(
  sources: CountedEndpoint,
  name?: string,
  version?: string,
): Promise<readonly ModelStatistics[]> {
  const others = (await sources.siblings?.readings()) ?? [];
  const counted = combineVersions([countVersions(sources), ...others.map(({ versions }) => versions)]);
  return askedVersions(sources.models, counted, name, version).map(statisticsOf);
}

function askedVersions(
  models: ModelRepository,
  counted: readonly CountedVersion[],
  name: string | undefined,
  version: string | undefined,
): readonly CountedVersion[] {
  if (name === undefined) return counted;
  const number = version === undefined ? null : versionNumber(version);
  const asked = counted.filter(
    (known) => known.name === name && (version === undefined || known.version === number),
  );
  // Says why there is nothing.
  if (asked.length === 0) describedVersion(models, name, version);
  return asked;
}

function statisticsOf(counts: CountedVersion): ModelStatistics {
  const none = { count: 0, ns: 0 };
  const compute = statistic(counts.compute);
  const instant = { count: compute.count, ns: 0 };
  return {
    name: counts.name,
    version: String(counts.version),
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
