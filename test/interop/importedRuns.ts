import type { ImportEngine } from '../engine/importEngine.ts';

/** A run of the store as tests look at it. */
export interface ImportedRunView {
  readonly runId: string;
  readonly status: string;
  readonly parentRunId: string | null;
  readonly endTime: number | null;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Steps and values by metric. */
  readonly metrics: Readonly<Record<string, readonly (readonly [step: number, value: number])[]>>;
  /** Paths of all its files. */
  readonly artifacts: readonly string[];
}

/** The runs of an experiment, by name. */
export function importedRuns(
  engine: ImportEngine,
  experiment: string,
): Readonly<Record<string, ImportedRunView>> {
  const { experimentId } = engine.tracking.experimentByName(experiment);
  const ids = engine.database
    .prepare<[number], { run_uuid: string }>('SELECT run_uuid FROM runs WHERE experiment_id = ?')
    .all(Number(experimentId));
  return Object.fromEntries(
    ids.map(({ run_uuid: runId }) => {
      const run = engine.tracking.wholeRun(runId);
      const pairs = (list: readonly { readonly key: string; readonly value: string }[]) =>
        Object.fromEntries(list.map(({ key, value }) => [key, value]));
      const view: ImportedRunView = {
        runId,
        status: run.info.status,
        parentRunId: run.info.parentRunId,
        endTime: run.info.endTime === null ? null : Number(run.info.endTime),
        params: pairs(run.parameters),
        tags: pairs(run.tags),
        metrics: Object.fromEntries(run.metrics.map(({ key }) => [key, pointsOf(engine, runId, key)])),
        artifacts: filesBelow(engine, run.info.artifactUri, ''),
      };
      return [run.info.name, view];
    }),
  );
}

/** Steps and values of a metric, in their order. */
export function pointsOf(
  engine: ImportEngine,
  runId: string,
  key: string,
): readonly (readonly [step: number, value: number])[] {
  return engine.tracking
    .metricHistory({ runId, key, maxResults: 10_000, pageToken: '' })
    .items.map(({ step, value }) => [Number(step), value] as const)
    .sort(([a], [b]) => a - b);
}

function filesBelow(engine: ImportEngine, uri: string, path: string): readonly string[] {
  return engine.artifacts
    .list(uri, path)
    .flatMap((entry) => (entry.isDirectory ? filesBelow(engine, uri, entry.path) : [entry.path]));
}

/** Resolves once the store is as wanted. */
export async function until(look: () => boolean): Promise<void> {
  while (!isTrue(look)) await new Promise((resolve) => setTimeout(resolve, 30));
}

function isTrue(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    // Not there yet.
    return false;
  }
}
