import type { Saying } from '../../protocol/servingSentences.ts';
import { readSaying, readSayingText } from '../../protocol/storedSaying.ts';
import type { Database } from '../database/connection.ts';
import type { CheckProgress, Rollout, RolloutProgress, RolloutTraffic } from './rolloutTypes.ts';

/** A rollout as it is kept. */
export interface StoredRollout extends Rollout {
  readonly who: string;
  readonly why: Saying;
  /** Null while the candidate is being loaded. */
  readonly progress: RolloutProgress | null;
  /** Since the step began, as of the last look. */
  readonly traffic: RolloutTraffic;
}

/** The rollouts of endpoints, ended ones included. */
export interface RolloutStore {
  /** Newest first. */
  rollouts(endpoint: string, limit: number): readonly StoredRollout[];
  insert(rollout: Omit<StoredRollout, 'id' | 'progress'>): StoredRollout;
  save(id: number, progress: RolloutProgress, traffic: RolloutTraffic): void;
  rename(endpoint: string, newName: string, newModelName: string): void;
  /** Removes all rollouts of an endpoint. */
  forget(endpoint: string): void;
}

interface RolloutRow {
  readonly id: number;
  readonly endpoint: string;
  readonly model_name: string;
  readonly stable_version: number;
  readonly candidate_version: number;
  readonly who: string;
  readonly why: string;
  readonly plan: string;
  readonly progress: string | null;
  readonly traffic: string;
  readonly started_at: number;
}

const columns =
  'endpoint, model_name, stable_version, candidate_version, who, why, plan, progress, traffic, started_at';

/** Prepares the statements of the table `rollouts`. */
export function createRolloutStore(database: Database): RolloutStore {
  const select = database.prepare<[string, number], RolloutRow>(
    `SELECT id, ${columns} FROM rollouts WHERE endpoint = ? ORDER BY id DESC LIMIT ?`,
  );
  const insert = database.prepare<
    [string, string, number, number, string, string, string, string, number],
    never
  >(
    `INSERT INTO rollouts (endpoint, model_name, stable_version, candidate_version, who, why, plan, traffic, started_at, state)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'running')`,
  );
  const update = database.prepare<[string, string, string, number], never>(
    'UPDATE rollouts SET state = ?, progress = ?, traffic = ? WHERE id = ?',
  );
  const rename = database.prepare<[string, string, string], never>(
    'UPDATE rollouts SET endpoint = ?, model_name = ? WHERE endpoint = ?',
  );
  const remove = database.prepare<[string], never>('DELETE FROM rollouts WHERE endpoint = ?');
  return {
    rollouts: (endpoint, limit) => select.all(endpoint, limit).map(toRollout),
    insert(rollout) {
      const { endpoint, model, stableVersion, candidateVersion, who, why, plan, traffic, startedAt } =
        rollout;
      const { lastInsertRowid } = database.durableTransaction(() =>
        insert.run(
          endpoint,
          model,
          stableVersion,
          candidateVersion,
          who,
          JSON.stringify(why),
          JSON.stringify(plan),
          JSON.stringify(traffic),
          startedAt,
        ),
      );
      return { ...rollout, id: Number(lastInsertRowid), progress: null };
    },
    save(id, progress, traffic) {
      database.transaction(() =>
        update.run(progress.state, JSON.stringify(progress), JSON.stringify(traffic), id),
      );
    },
    rename(endpoint, newName, newModelName) {
      database.transaction(() => rename.run(newName, newModelName, endpoint));
    },
    forget(endpoint) {
      database.transaction(() => remove.run(endpoint));
    },
  };
}

function toRollout(row: RolloutRow): StoredRollout {
  return {
    id: row.id,
    endpoint: row.endpoint,
    model: row.model_name,
    stableVersion: row.stable_version,
    candidateVersion: row.candidate_version,
    who: row.who,
    why: readSayingText(row.why),
    // Nobody else writes these.
    plan: JSON.parse(row.plan),
    progress: row.progress === null ? null : readProgress(row.progress),
    traffic: readTraffic(row.traffic),
    startedAt: row.started_at,
  };
}

/** An older Slipway kept English texts, and knew less of what was seen. */
function readProgress(json: string): RolloutProgress {
  // Nobody else writes these.
  const kept = JSON.parse(json);
  return {
    ...kept,
    lookedAt: kept.lookedAt ?? null,
    judgedCrashes: kept.judgedCrashes ?? 0,
    reason: readSaying(kept.reason),
    checks: kept.checks.map(readCheck),
    goal: kept.goal && readCheck(kept.goal),
  };
}

function readCheck(
  kept: CheckProgress & { readonly outcome: { readonly sentence?: string } | null },
): CheckProgress {
  if (kept.outcome === null) return kept;
  const { sentence, ...outcome } = kept.outcome;
  return { ...kept, outcome: { ...outcome, said: readSaying(sentence ?? outcome.said) ?? [] } };
}

function readTraffic(json: string): RolloutTraffic {
  const { crashes, ...kept } = JSON.parse(json);
  return {
    baseline: { requests: 0, failures: 0, latencies: [] },
    ...kept,
    crashes: typeof crashes === 'number' ? { candidate: 0, unknown: crashes, before: 0 } : crashes,
  };
}
