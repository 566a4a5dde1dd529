import type { CountedVersion, Duration } from '../protocol/scorerReading.ts';
import type { InferenceCounters } from './inferenceCounters.ts';
import type { ModelRepository } from './modelRepository.ts';
import type { Siblings } from './siblings.ts';

export interface CountedModels {
  readonly models: ModelRepository;
  readonly counters: InferenceCounters;
}

export interface CountedEndpoint extends CountedModels {
  /** The other processes of the endpoint, whose figures are added; null where it is alone. */
  readonly siblings: Siblings | null;
}

/** What this process counts of each version that it has loaded. */
export function countVersions({ models, counters }: CountedModels): readonly CountedVersion[] {
  return models
    .names()
    .flatMap((model) => models.versions(model))
    .map(({ name, version }) => ({ name, version, ...counters.of({ name, version }) }));
}

/**
 * What several processes count that answer for the same endpoint, as if one did. A version that only some of them have
 * is among them, as while it is being loaded.
 *
 * @returns by name, versions ascending.
 */
export function combineVersions(readings: readonly (readonly CountedVersion[])[]): readonly CountedVersion[] {
  const models = Map.groupBy(readings.flat(), ({ name }) => name);
  return [...models.keys()].sort().flatMap((name) => {
    const versions = Map.groupBy(models.get(name) ?? [], ({ version }) => version);
    return [...versions.values()]
      .map((counted) => counted.reduce(addCounts))
      .sort((left, right) => left.version - right.version);
  });
}

function addCounts(one: CountedVersion, other: CountedVersion): CountedVersion {
  return {
    name: one.name,
    version: one.version,
    lastInference: Math.max(one.lastInference, other.lastInference),
    success: addDurations(one.success, other.success),
    failure: addDurations(one.failure, other.failure),
    queue: addDurations(one.queue, other.queue),
    compute: addDurations(one.compute, other.compute),
    rowCount: one.rowCount + other.rowCount,
    runCount: one.runCount + other.runCount,
    batches: addBatches([...one.batches, ...other.batches]),
  };
}

function addBatches(batches: CountedVersion['batches']): CountedVersion['batches'] {
  return [...Map.groupBy(batches, ({ rows }) => rows)]
    .map(([rows, same]) => ({ rows, compute: same.map(({ compute }) => compute).reduce(addDurations) }))
    .sort((left, right) => left.rows - right.rows);
}

function addDurations(one: Duration, other: Duration): Duration {
  return { count: one.count + other.count, microseconds: one.microseconds + other.microseconds };
}
