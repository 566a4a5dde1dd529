import BetterSqlite3 from 'better-sqlite3';

export interface LoggedRequest {
  /** UTC milliseconds. */
  readonly receivedAt: number;
  /** Columns as a scorer logs them; null for a request that was refused. */
  readonly inputs: Readonly<Record<string, readonly unknown[]>> | null;
}

/** Writes an inference log as `src/protocol/scorer.ts` describes it. The caller closes it. */
export function writeInferenceLog(file: string, requests: Iterable<LoggedRequest>): BetterSqlite3.Database {
  const log = new BetterSqlite3(file);
  log.pragma('journal_mode = WAL');
  log.pragma('user_version = 1');
  log.exec(`
    CREATE TABLE requests (id INTEGER PRIMARY KEY, request_id TEXT, received_at INTEGER, model_version INTEGER,
      row_count INTEGER, status INTEGER, latency_us INTEGER, inputs TEXT, outputs TEXT);
    CREATE INDEX requests_by_time ON requests (received_at)`);
  const insert = log.prepare(
    `INSERT INTO requests (request_id, received_at, model_version, row_count, status, latency_us, inputs, outputs)
     VALUES (?, ?, 1, ?, ?, 100, ?, NULL)`,
  );
  log.transaction(() => {
    let id = 0;
    for (const { receivedAt, inputs } of requests) {
      id += 1;
      const rowCount = inputs === null ? 0 : (Object.values(inputs)[0]?.length ?? 0);
      insert.run(
        `r${id}`,
        receivedAt,
        rowCount,
        inputs === null ? 400 : 200,
        inputs && JSON.stringify(inputs),
      );
    }
  })();
  return log;
}

/** These columns of rows as requests of ten rows each, one a second. */
export function requestsOf(rows: readonly object[], names: readonly string[]): LoggedRequest[] {
  const size = 10;
  return Array.from({ length: rows.length / size }, (_, request) => ({
    receivedAt: 1_000_000 + request * 1000,
    inputs: Object.fromEntries(
      names.map((name) => [
        name,
        rows.slice(request * size, (request + 1) * size).map((row) => Reflect.get(row, name)),
      ]),
    ),
  }));
}
