import BetterSqlite3 from 'better-sqlite3';
import type { ErrorData } from '../protocol/errors.ts';

/** Enough of one kind to know what is wrong. */
const mostOfEach = 50;
/** Series that are compared with their points in one go; between two, progress is told. */
const seriesAtOnce = 2_000;

/**
 * Reads all of a store, as it is at one moment, and says what is wrong with it: its pages and indices (SQLite's own
 * `integrity_check`), rows that refer to nothing, metrics whose summary is not that of their points, and registered versions
 * whose run is not there. A few findings of each kind; an empty list means that it is sound.
 */
export function checkStore(
  file: string,
  progress: (fraction: number, message: string) => void,
): readonly ErrorData[] {
  try {
    const store = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 20_000 });
    try {
      store.exec('BEGIN');
      const damage = pageFindings(store, file);
      // What else is read from damaged pages would only confuse.
      if (damage.length > 0) return damage;
      progress(0.4, '');
      return [
        ...danglingFindings(store),
        ...metricFindings(store, (fraction) => progress(0.5 + 0.5 * fraction, '')),
        ...versionFindings(store),
      ];
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof BetterSqlite3.SqliteError)) throw error;
    return [{ kind: 'storeDamaged', values: { path: file, detail: error.message } }];
  }
}

function pageFindings(store: BetterSqlite3.Database, file: string): readonly ErrorData[] {
  const lines = store.prepare<[], string>(`PRAGMA integrity_check(${mostOfEach})`).pluck().all();
  return lines
    .filter((line) => line !== 'ok')
    .map((detail) => ({ kind: 'storeDamaged', values: { path: file, detail } }));
}

function danglingFindings(store: BetterSqlite3.Database): readonly ErrorData[] {
  return store
    .prepare<[], { readonly table: string; readonly count: number }>(
      `SELECT "table", COUNT(*) AS count FROM pragma_foreign_key_check GROUP BY "table"
       UNION ALL SELECT 'metric_points', COUNT(*) FROM metric_points
         WHERE series_id NOT IN (SELECT id FROM metric_series) HAVING COUNT(*) > 0`,
    )
    .all()
    .map(({ table, count }) => ({ kind: 'danglingRows', values: { table, count } }));
}

/** The latest point is the maximum by (step, timestamp, value), where NaN counts as 0. */
function metricFindings(
  store: BetterSqlite3.Database,
  progress: (fraction: number) => void,
): readonly ErrorData[] {
  const last = store.prepare<[], number>('SELECT COALESCE(MAX(id), 0) FROM metric_series').pluck().get() ?? 0;
  const wrong = store.prepare<[number, number, number], { readonly metric: string; readonly run: string }>(
    `SELECT s.key AS metric, r.run_uuid AS run
     FROM metric_series s JOIN runs r ON r.id = s.run_id
     WHERE s.id BETWEEN ? AND ? AND (
       s.point_count <> (SELECT COUNT(*) FROM metric_points p WHERE p.series_id = s.id)
       OR (s.latest_step, s.latest_timestamp, s.latest_value) IS NOT (
         SELECT p.step, p.timestamp, p.value FROM metric_points p WHERE p.series_id = s.id
         ORDER BY p.step DESC, p.timestamp DESC, p.value DESC LIMIT 1))
     LIMIT ?`,
  );
  const findings: ErrorData[] = [];
  for (let from = 0; from <= last && findings.length < mostOfEach; from += seriesAtOnce) {
    for (const values of wrong.all(from, from + seriesAtOnce - 1, mostOfEach - findings.length)) {
      findings.push({ kind: 'metricSummaryWrong', values: { ...values } });
    }
    progress(last === 0 ? 1 : from / last);
  }
  return findings;
}

function versionFindings(store: BetterSqlite3.Database): readonly ErrorData[] {
  return store
    .prepare<[number], { readonly model: string; readonly version: number; readonly run: string }>(
      `SELECT m.name AS model, v.version, v.run_uuid AS run
       FROM model_versions v JOIN registered_models m ON m.id = v.model_id
       WHERE v.deleted = 0 AND v.run_uuid IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.run_uuid = v.run_uuid) LIMIT ?`,
    )
    .all(mostOfEach)
    .map((values) => ({ kind: 'versionRunMissing', values: { ...values } }));
}
