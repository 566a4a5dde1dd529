/** Finding what a request names, refusing what it may not change, and changing it. */
import { detail } from '../../protocol/errorDetails.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { checkRunId, experimentKey, invalid, notFound } from './limits.ts';
import type { TraceRecord } from './traceTypes.ts';
import type { Experiment, LifecycleStage, LoggedModelRecord, RunRecord, ViewType } from './types.ts';

type Stores = Pick<TrackingDependencies, 'store'>;

/** Throws `invalidParameter` when the id is no id, `notFound` when there is no such experiment. */
export function findExperiment({ store }: Stores, experimentId: string): Experiment {
  const experiment = store.experiments.find(experimentKey(experimentId));
  if (experiment) return experiment;
  throw notFound(detail('noExperiment', { experiment: experimentId }));
}

/** As `findExperiment`; throws `invalidParameter` for a deleted one. */
export function findActiveExperiment(stores: Stores, experimentId: string): Experiment {
  const experiment = findExperiment(stores, experimentId);
  if (experiment.lifecycleStage === 'active') return experiment;
  throw invalid(`The experiment ${experimentId} must be in the 'active' state. Current state is deleted.`);
}

/** Throws `notFound` when there is no such run. */
export function findRun({ store }: Stores, runId: string): RunRecord {
  checkRunId(runId);
  const run = store.runs.find(runId);
  if (run) return run;
  throw notFound(detail('noRun', { run: runId }));
}

/** As `findRun`; throws `invalidParameter` for a deleted one. */
export function findActiveRun(stores: Stores, runId: string): RunRecord {
  const run = findRun(stores, runId);
  if (run.lifecycleStage === 'active') return run;
  throw invalid(`The run ${runId} must be in the 'active' state. Current state is deleted.`);
}

/** Changes the run that `find` gives, in one transaction, and tells of it. */
export function changeRun<Result>(
  dependencies: TrackingDependencies,
  find: typeof findRun,
  runId: string,
  work: (run: RunRecord) => Result,
): Result {
  const { changes, transaction } = dependencies;
  const [run, result] = transaction(() => {
    const found = find(dependencies, runId);
    return [found, work(found)] as const;
  });
  changes.tracking(run.experimentId, run.runId);
  return result;
}

/** Throws `notFound` when there is no such model, or it was deleted. */
export function findLoggedModel({ store }: Stores, modelId: string, allowDeleted = false): LoggedModelRecord {
  const model = store.models.find(modelId);
  if (model && (allowDeleted || model.lifecycleStage === 'active')) return model;
  throw notFound(detail('noLoggedModel', { loggedModel: modelId }));
}

/** Throws `notFound` when there is no such trace. */
export function findTrace({ store }: Stores, traceId: string): TraceRecord {
  const trace = store.traces.find(traceId);
  if (trace) return trace;
  throw notFound(`Trace with ID '${traceId}' not found.`);
}

export function stagesOf(view: ViewType): readonly LifecycleStage[] {
  if (view === 'ALL') return ['active', 'deleted'];
  return view === 'ACTIVE_ONLY' ? ['active'] : ['deleted'];
}
