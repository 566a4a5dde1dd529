import type { TrackingDependencies } from './dependencies.ts';
import { experimentKey } from './limits.ts';
import { findRun } from './lookup.ts';
import { traceLocationOf } from './traceFiles.ts';
import { sourceRunMetadata } from './traceSearchRules.ts';
import { isOwnTag } from './traces.ts';
import type { TraceInfo } from './traceTypes.ts';
import type { LoggedModelData } from './types.ts';

/** A trace with all that is known of it. Of its tags only those that mean the same in another store. */
export interface ExportedTrace extends TraceInfo {
  /** The folder with its spans and other files. */
  readonly artifactUri: string;
  /** Ids of runs to which it was linked, without the one in which it was made. */
  readonly linkedRuns: readonly string[];
  /** As `name/version`. */
  readonly linkedPrompts: readonly string[];
}

/** What an export reads besides what everyone may. */
export interface TrackingExports {
  /** When a run was deleted, in UTC milliseconds; null when it was not. */
  deletedTime(runId: string): number | null;
  /** Ids of the logged models of an experiment, or of those that one run of it made; deleted ones are among them. */
  exportedModelIds(experimentId: string, runId: string | null): readonly string[];
  /** Null when it was deleted for good meanwhile. */
  exportedModel(modelId: string): LoggedModelData | null;
  /** Ids of the traces of an experiment, or of those that were made in one run of it, or linked to it. */
  exportedTraceIds(experimentId: string, runId: string | null): readonly string[];
  /** Null when it was deleted meanwhile. */
  exportedTrace(traceId: string): ExportedTrace | null;
}

export function createTrackingExports(dependencies: TrackingDependencies): TrackingExports {
  const { store } = dependencies;

  return {
    deletedTime: (runId) => store.exports.deletedTime(findRun(dependencies, runId).key),
    exportedModelIds: (experimentId, runId) =>
      runId === null
        ? store.exports.loggedModelsOfExperiment(experimentKey(experimentId))
        : store.exports.loggedModelsOfRun(findRun(dependencies, runId).key),
    exportedModel(modelId) {
      const found = store.models.find(modelId);
      return found && store.models.load(found);
    },
    exportedTraceIds: (experimentId, runId) =>
      runId === null
        ? store.exports.tracesOfExperiment(experimentKey(experimentId))
        : store.exports.tracesOfRun(experimentKey(experimentId), runId, sourceRunMetadata),
    exportedTrace(traceId) {
      const found = store.traces.find(traceId);
      const experiment = found && store.experiments.find(experimentKey(found.experimentId));
      const [trace] = found ? store.traces.load([found]) : [];
      if (!found || !experiment || !trace) return null;
      const madeIn = trace.metadata.find(({ key }) => key === sourceRunMetadata)?.value;
      return {
        ...trace,
        tags: trace.tags.filter(isOwnTag),
        artifactUri: traceLocationOf(experiment, traceId),
        linkedRuns: store.exports.runsLinkedTo(traceId).filter((runId) => runId !== madeIn),
        linkedPrompts: store.exports.promptsLinkedTo(found.key),
      };
    },
  };
}
