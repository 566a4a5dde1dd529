import type { Database } from '../database/connection.ts';

/** The SQL of what only an export asks: what was deleted, and how things are linked. */
export interface ExportStore {
  deletedTime(run: number): number | null;
  /** Ids in the order in which they were logged, of deleted ones too. */
  loggedModelsOfExperiment(experiment: number): readonly string[];
  loggedModelsOfRun(run: number): readonly string[];
  /** Ids, the oldest first. */
  tracesOfExperiment(experiment: number): readonly string[];
  /** Of one experiment: those whose metadata `sourceKey` is the run, and those that were linked to it. */
  tracesOfRun(experiment: number, runId: string, sourceKey: string): readonly string[];
  runsLinkedTo(traceId: string): readonly string[];
  /** As `name/version`. */
  promptsLinkedTo(trace: number): readonly string[];
}

interface Id {
  readonly id: string;
}

export function createExportStore(database: Database): ExportStore {
  const deletedTime = database.prepare<[number], { readonly deleted_time: number | null }>(
    'SELECT deleted_time FROM runs WHERE id = ?',
  );
  const loggedModelsOfExperiment = database.prepare<[number], Id>(
    'SELECT model_uuid AS id FROM logged_models WHERE experiment_id = ? ORDER BY logged_models.id',
  );
  const loggedModelsOfRun = database.prepare<[number], Id>(
    'SELECT model_uuid AS id FROM logged_models WHERE source_run_id = ? ORDER BY logged_models.id',
  );
  const tracesOfExperiment = database.prepare<[number], Id>(
    'SELECT trace_uuid AS id FROM traces WHERE experiment_id = ? ORDER BY request_time, traces.id',
  );
  const tracesOfRun = database.prepare<[number, string, string, string], Id>(
    `SELECT t.trace_uuid AS id FROM traces t WHERE t.experiment_id = ? AND (
       EXISTS (SELECT 1 FROM trace_runs l WHERE l.trace_uuid = t.trace_uuid AND l.run_uuid = ?)
       OR EXISTS (SELECT 1 FROM trace_metadata m WHERE m.trace_id = t.id AND m.key = ? AND m.value = ?)
     ) ORDER BY t.request_time, t.id`,
  );
  const runsLinkedTo = database.prepare<[string], Id>(
    'SELECT run_uuid AS id FROM trace_runs WHERE trace_uuid = ? ORDER BY run_uuid',
  );
  const promptsLinkedTo = database.prepare<[number], Id>(
    'SELECT prompt AS id FROM trace_prompts WHERE trace_id = ? ORDER BY prompt',
  );
  const idsOf = (rows: readonly Id[]) => rows.map(({ id }) => id);

  return {
    deletedTime: (run) => deletedTime.get(run)?.deleted_time ?? null,
    loggedModelsOfExperiment: (experiment) => idsOf(loggedModelsOfExperiment.all(experiment)),
    loggedModelsOfRun: (run) => idsOf(loggedModelsOfRun.all(run)),
    tracesOfExperiment: (experiment) => idsOf(tracesOfExperiment.all(experiment)),
    tracesOfRun: (experiment, runId, sourceKey) =>
      idsOf(tracesOfRun.all(experiment, runId, sourceKey, runId)),
    runsLinkedTo: (traceId) => idsOf(runsLinkedTo.all(traceId)),
    promptsLinkedTo: (trace) => idsOf(promptsLinkedTo.all(trace)),
  };
}
