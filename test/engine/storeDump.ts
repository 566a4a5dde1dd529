import type { Database } from '../../src/engine/database/connection.ts';

/** Each table's rows as a person would tell them apart: without the keys that only mean something inside the store. */
const queries = {
  experiments: `SELECT id, name, artifact_location, lifecycle_stage, creation_time, last_update_time FROM experiments
    ORDER BY id`,
  experiment_tags: 'SELECT * FROM experiment_tags ORDER BY experiment_id, key',
  runs: `SELECT run_uuid, experiment_id, name, user_id, status, start_time, end_time, lifecycle_stage, deleted_time,
    artifact_uri, parent_run_uuid FROM runs ORDER BY run_uuid`,
  parameters: `SELECT r.run_uuid, p.key, p.value FROM parameters p JOIN runs r ON r.id = p.run_id
    ORDER BY r.run_uuid, p.key`,
  tags: 'SELECT r.run_uuid, t.key, t.value FROM tags t JOIN runs r ON r.id = t.run_id ORDER BY r.run_uuid, t.key',
  series: `SELECT r.run_uuid, s.key, s.point_count, s.latest_step, s.latest_value, s.latest_is_nan
    FROM metric_series s JOIN runs r ON r.id = s.run_id ORDER BY r.run_uuid, s.key`,
  points: `SELECT run_uuid, key, CAST(step AS TEXT) AS step, timestamp, value, is_nan FROM metrics
    ORDER BY run_uuid, key, metrics.step, timestamp, value`,
  datasets: `SELECT r.run_uuid, l.tags, d.experiment_id, d.name, d.digest, d.source_type, d.source, d.schema, d.profile
    FROM run_datasets l JOIN datasets d ON d.id = l.dataset_id JOIN runs r ON r.id = l.run_id
    ORDER BY r.run_uuid, d.name, d.digest`,
  inputs: `SELECT r.run_uuid, i.model_uuid FROM run_inputs i JOIN runs r ON r.id = i.run_id ORDER BY 1, 2`,
  outputs: `SELECT r.run_uuid, o.model_uuid, o.step FROM run_outputs o JOIN runs r ON r.id = o.run_id ORDER BY 1, 2`,
  loggedModels: `SELECT m.model_uuid, m.experiment_id, s.run_uuid, m.foreign_run_uuid, m.name, m.model_type, m.status,
    m.status_message, m.artifact_uri, m.creation_time, m.last_update_time, m.lifecycle_stage
    FROM logged_models m LEFT JOIN runs s ON s.id = m.source_run_id ORDER BY m.model_uuid`,
  loggedModelParameters: `SELECT m.model_uuid, p.key, p.value FROM logged_model_parameters p
    JOIN logged_models m ON m.id = p.model_id ORDER BY 1, 2`,
  loggedModelTags: `SELECT m.model_uuid, t.key, t.value FROM logged_model_tags t
    JOIN logged_models m ON m.id = t.model_id ORDER BY 1, 2`,
  loggedModelMetrics: `SELECT m.model_uuid, l.key, l.dataset_name, l.dataset_digest, r.run_uuid, l.step, l.timestamp,
    l.value, l.is_nan FROM logged_model_metrics l JOIN logged_models m ON m.id = l.model_id
    JOIN runs r ON r.id = l.run_id ORDER BY 1, 2, 3, 4, 5, 6, 7`,
  traces: `SELECT trace_uuid, experiment_id, request_time, execution_duration, state, client_request_id, request_preview,
    response_preview FROM traces ORDER BY trace_uuid`,
  traceTags: `SELECT t.trace_uuid, e.key, e.value FROM trace_tags e JOIN traces t ON t.id = e.trace_id ORDER BY 1, 2`,
  traceMetadata: `SELECT t.trace_uuid, e.key, e.value FROM trace_metadata e JOIN traces t ON t.id = e.trace_id
    ORDER BY 1, 2`,
  traceAssessments: `SELECT t.trace_uuid, a.assessment_uuid, a.name, a.kind, a.value, a.valid, a.content
    FROM trace_assessments a JOIN traces t ON t.id = a.trace_id ORDER BY 1, 2`,
  traceSpans: `SELECT t.trace_uuid, s.position, s.name, s.type, s.status, s.attributes
    FROM trace_spans s JOIN traces t ON t.id = s.trace_id ORDER BY 1, 2`,
  traceRuns: 'SELECT trace_uuid, run_uuid FROM trace_runs ORDER BY 1, 2',
  tracePrompts: `SELECT t.trace_uuid, p.prompt FROM trace_prompts p JOIN traces t ON t.id = p.trace_id ORDER BY 1, 2`,
  registeredModels:
    'SELECT name, description, creation_time, last_update_time FROM registered_models ORDER BY name',
  registeredModelTags: `SELECT m.name, t.key, t.value FROM registered_model_tags t
    JOIN registered_models m ON m.id = t.model_id ORDER BY 1, 2`,
  versions: `SELECT m.name, v.version, v.stage, v.deleted, v.description, v.user_id, v.source, v.storage_location, v.run_uuid,
    v.run_link, v.logged_model_uuid, v.status, v.status_message, v.creation_time, v.last_update_time
    FROM model_versions v JOIN registered_models m ON m.id = v.model_id ORDER BY 1, 2`,
  versionTags: `SELECT m.name, v.version, t.key, t.value FROM model_version_tags t
    JOIN model_versions v ON v.id = t.version_id JOIN registered_models m ON m.id = v.model_id ORDER BY 1, 2, 3`,
  aliases: `SELECT m.name, a.alias, a.version FROM aliases a JOIN registered_models m ON m.id = a.model_id ORDER BY 1, 2`,
  transitions:
    'SELECT model_name, version, from_stage, to_stage, who, why, transitioned_at FROM stage_transitions ORDER BY id',
} as const;

const importQueries = {
  sources: 'SELECT kind, path, first_import_time FROM import_sources ORDER BY 1, 2',
  parts: 'SELECT key, state, run_uuid FROM import_parts ORDER BY source_id, key',
  marks: 'SELECT subject, marks FROM import_marks ORDER BY source_id, subject',
  omissions:
    'SELECT part, subject, reason, details FROM import_omissions ORDER BY source_id, subject, reason, details',
} as const;

export type StoreDump = Readonly<Record<string, readonly unknown[]>>;

/** All that a store holds of experiments, runs, models and the registry. */
export function dumpStore(database: Database): StoreDump {
  return dump(database, queries);
}

/** What a store remembers of its imports. */
export function dumpImports(database: Database): StoreDump {
  return dump(database, importQueries);
}

function dump(database: Database, wanted: Readonly<Record<string, string>>): StoreDump {
  return Object.fromEntries(
    Object.entries(wanted).map(([name, sql]) => [name, database.prepare<[], unknown>(sql).all()]),
  );
}
