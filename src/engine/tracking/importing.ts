import type {
  ArtifactOwner,
  ImportedExperiment,
  ImportedLoggedModel,
  ImportedModelMetrics,
  ImportedPoints,
  ImportedRun,
  ImportedTrace,
  ImportOmission,
} from '../../protocol/importing.ts';
import { asInt64, type Int64 } from '../database/int64.ts';
import { omission, type SubjectImport } from '../importedSubject.ts';
import type { ImportMarks } from '../importMarks.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { importExperiment } from './importedExperiment.ts';
import { importLoggedModel } from './importedLoggedModel.ts';
import { importRun } from './importedRun.ts';
import { importedTraceUri, importTrace } from './importedTrace.ts';
import { keyProblem } from './importParts.ts';
import type { Metric } from './types.ts';

/**
 * Writes what was tracked elsewhere, with the ids, times and stages that it has. To be called in a transaction. All of it
 * may be written again, which changes nothing; what changed in the source since is taken over where nobody changed it here.
 */
export interface TrackingImports {
  /**
   * Finds the experiment of the same name, or creates it.
   *
   * @param mapped the experiment that it was before; null the first time.
   * @returns null as `experimentId` when its runs cannot be taken.
   */
  importExperiment(
    experiment: ImportedExperiment,
    mapped: string | null,
    before: ImportMarks,
  ): SubjectImport & { readonly experimentId: string | null };
  importRun(run: ImportedRun, experimentId: string, before: ImportMarks): SubjectImport;
  /** Gives how many of the points were not there. */
  importPoints(points: ImportedPoints): {
    readonly added: number;
    readonly omissions: readonly ImportOmission[];
  };
  importLoggedModel(model: ImportedLoggedModel, experimentId: string, before: ImportMarks): SubjectImport;
  importModelMetrics(metrics: ImportedModelMetrics): readonly ImportOmission[];
  importTrace(trace: ImportedTrace, experimentId: string, before: ImportMarks): SubjectImport;
  /** Where the artifacts of a run, logged model or trace go; null when there is no such owner, or they stay where they are. */
  importedArtifactsUri(owner: ArtifactOwner): string | null;
}

export function createTrackingImports(dependencies: TrackingDependencies): TrackingImports {
  const { store, changes } = dependencies;

  return {
    importExperiment: (experiment, mapped, before) =>
      importExperiment(dependencies, experiment, mapped, before),
    importRun: (run, experimentId, before) => importRun(dependencies, run, experimentId, before),
    importPoints({ runId, key, steps, timestamps, values, latestOnly }) {
      const subject = `run ${runId}/metrics/${key}`;
      const run = store.runs.find(runId);
      if (run === null) return { added: 0, omissions: [omission(subject, 'missingRun', { run: runId })] };
      const problem = keyProblem(key, 'Metric name');
      if (problem !== null)
        return { added: 0, omissions: [omission(subject, 'invalidKey', { detail: problem })] };
      const omissions: ImportOmission[] = [];
      const points: Metric[] = [];
      for (const [index, value] of values.entries()) {
        const step = steps[index] ?? 0;
        const timestamp = timestamps[index] ?? 0;
        if (timestamp >= 0 && isWhole(timestamp) && isWhole(step)) {
          points.push({ key, value, step: exact(step), timestamp: exact(timestamp) });
        } else {
          const detail = `step ${step}, timestamp ${timestamp}`;
          omissions.push(omission(subject, 'invalidValue', { detail }));
        }
      }
      if (points.length === 0) return { added: 0, omissions };
      const before = store.imports.pointCount(run.key, key);
      if (latestOnly && before > 0) {
        const latest = store.metrics.latest(run.key).find((metric) => metric.key === key);
        if (latest !== undefined && points.every(({ value }) => Object.is(value, latest.value)))
          return { added: 0, omissions };
      }
      store.metrics.add(run.key, points);
      const added = store.imports.pointCount(run.key, key) - before;
      if (added > 0) changes.tracking(run.experimentId, runId);
      return { added, omissions };
    },
    importLoggedModel: (model, experimentId, before) =>
      importLoggedModel(dependencies, model, experimentId, before),
    importModelMetrics({ modelId, metrics }) {
      const model = store.models.find(modelId);
      if (model === null) return [];
      const missing = new Set<string>();
      for (const { runId, ...metric } of metrics) {
        const run = store.runs.find(runId);
        if (run === null) missing.add(runId);
        else store.models.addMetric(model.key, run.key, metric);
      }
      return [...missing].map((run) => omission(`logged model ${modelId}/metrics`, 'missingRun', { run }));
    },
    importTrace: (trace, experimentId, before) => importTrace(dependencies, trace, experimentId, before),
    importedArtifactsUri({ type, id }) {
      if (type === 'trace') return importedTraceUri(dependencies, id);
      const found = type === 'run' ? store.runs.find(id) : store.models.find(id);
      return found?.artifactUri.startsWith('mlflow-artifacts:') ? found.artifactUri : null;
    },
  };
}

function isWhole(integer: number | bigint): boolean {
  return typeof integer === 'bigint' || Number.isSafeInteger(integer);
}

function exact(integer: number | bigint): Int64 {
  return typeof integer === 'bigint' ? asInt64(integer) : integer;
}
