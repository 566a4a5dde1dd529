import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import type { InferenceLogOptions } from '../protocol/scorer.ts';
import { createLogRetention } from './inferenceLogRetention.ts';
import { upgradeInferenceLog } from './inferenceLogSchema.ts';
import type { LoggedFeedback, LoggedModel, LoggedRequest } from './loggedRequest.ts';

/** Writes an inference log. Blocks its thread while it writes. */
export interface InferenceLogWriter {
  /** Names a model for the requests that follow. */
  announce(number: number, model: LoggedModel): void;
  /**
   * Writes requests. Those that the file cannot take now are kept for the next time, which comes by itself.
   *
   * @returns whether none is kept.
   */
  write(requests: readonly LoggedRequest[], feedback: readonly LoggedFeedback[]): boolean;
  /** Writes what is kept, if the file takes it now, and closes the file. */
  close(): void;
}

type LoggedCell = string | number | Uint8Array | null;

/** One statement for many rows: calling SQLite takes longer than writing a row. */
const rowsAtOnce = 32;

function insertOf(rows: number): string {
  return `INSERT INTO requests
    (request_id, received_at, model_name, model_version, variant, row_count, status, latency_us, layout, packed)
    VALUES ${Array.from({ length: rows }, () => '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').join(', ')}`;
}

/** A request of many rows fits into a page: spread over several of the usual size it takes twice as long to write. */
const pageBytes = 32 * 1024;
/** What is brought from the write-ahead log into the file at a time: more would hold up those that wait for longer. */
const checkpointBytes = 4 * 1024 * 1024;
const retryMilliseconds = 1_000;
/** How long a file that another scorer opens or closes at the same moment is tried. */
const openMilliseconds = 3_000;
const idleMilliseconds = 1_000;
/** What is kept while the file cannot be written; beyond that the oldest requests are lost. */
const keptRequests = 10_000;
const keptBytes = 64 * 1024 * 1024;

/**
 * Opens or creates the log of an endpoint.
 *
 * @param warn told when requests cannot be written, and when some are lost because they could not be for too long.
 * @throws SqliteError when the file cannot be opened.
 */
export function openInferenceLogWriter(
  options: InferenceLogOptions,
  warn: (message: string) => void,
): InferenceLogWriter {
  const { file } = options;
  mkdirSync(dirname(file), { recursive: true });
  const connection = new BetterSqlite3(file, { timeout: 1000 });
  patiently(() => {
    // Of a new file only.
    connection.pragma(`page_size = ${pageBytes}`);
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = NORMAL');
    const page = Number(connection.pragma('page_size', { simple: true }));
    connection.pragma(`wal_autocheckpoint = ${Math.ceil(checkpointBytes / page)}`);
    upgradeInferenceLog(connection);
  });
  const retention = createLogRetention(connection, options);
  const models = new Map<number, LoggedModel>();
  /** The rows of `layouts` that describe the models' values. */
  const layouts = new Map<number, number>();
  const addLayout = connection.prepare('INSERT INTO layouts (description) VALUES (?) ON CONFLICT DO NOTHING');
  const findLayout = connection
    .prepare<[string], number>('SELECT id FROM layouts WHERE description = ?')
    .pluck();
  const insertMany = connection.prepare<LoggedCell[]>(insertOf(rowsAtOnce));
  const insertOne = connection.prepare<LoggedCell[]>(insertOf(1));
  const insertFeedback = connection.prepare(
    'INSERT INTO feedback (request_id, received_at, truth, reward) VALUES (?, ?, ?, ?)',
  );

  let kept: readonly LoggedRequest[] = [];
  let keptFeedback: readonly LoggedFeedback[] = [];
  let timer: NodeJS.Timeout | null = null;

  const addCells = (cells: LoggedCell[], request: LoggedRequest): void => {
    const { requestId, receivedAt, status, latencyMicroseconds, variant, rowCount, packed } = request;
    const known = request.model === null ? undefined : models.get(request.model);
    cells.push(requestId, receivedAt, known?.name ?? null, known?.version ?? 0, variant, rowCount, status);
    cells.push(latencyMicroseconds, packed && (layouts.get(request.model ?? -1) ?? null), packed);
  };
  const writeAll = connection.transaction(
    (requests: readonly LoggedRequest[], feedback: readonly LoggedFeedback[]) => {
      for (const [number, { layout }] of models) {
        if (layouts.has(number)) continue;
        addLayout.run(layout);
        layouts.set(number, findLayout.get(layout) ?? 0);
      }
      const whole = requests.length - (requests.length % rowsAtOnce);
      for (let from = 0; from < whole; from += rowsAtOnce) {
        const cells: LoggedCell[] = [];
        for (const request of requests.slice(from, from + rowsAtOnce)) addCells(cells, request);
        insertMany.run(...cells);
      }
      for (const request of requests.slice(whole)) {
        const cells: LoggedCell[] = [];
        addCells(cells, request);
        insertOne.run(...cells);
      }
      for (const { requestId, receivedAt, truth, reward } of feedback) {
        insertFeedback.run(requestId, receivedAt, truth, reward);
      }
    },
  );
  const loseOldest = (count: number) => {
    if (count <= 0) return;
    kept = kept.slice(count);
    warn(`${count} requests are missing from the inference log ${file}.`);
  };
  const isAllWritten = () => kept.length === 0 && keptFeedback.length === 0;
  const deleteOld = () => {
    try {
      retention.apply(Date.now());
    } catch (error) {
      if (!(error instanceof BetterSqlite3.SqliteError)) throw error;
      warn(`Nothing can be deleted from the inference log ${file} now: ${error.message}`);
    }
  };
  // What is too old goes when no request comes, too.
  const idle = setInterval(() => {
    if (!timer) deleteOld();
  }, idleMilliseconds).unref();
  const writeKept = () => {
    if (isAllWritten()) return;
    try {
      writeAll.immediate(kept, keptFeedback);
      kept = [];
      keptFeedback = [];
    } catch (error) {
      if (!(error instanceof BetterSqlite3.SqliteError)) throw error;
      warn(`The inference log ${file} cannot be written: ${error.message}`);
      // Their rows were taken back with all others.
      layouts.clear();
      return;
    }
    deleteOld();
  };
  const writeOrRetry = () => {
    timer = null;
    writeKept();
    loseOldest(kept.length - keepable(kept));
    if (!isAllWritten()) timer = setTimeout(writeOrRetry, retryMilliseconds);
  };
  return {
    announce(number, model) {
      models.set(number, model);
    },
    write(requests, feedback) {
      kept = kept.length === 0 ? requests : [...kept, ...requests];
      keptFeedback =
        keptFeedback.length === 0 ? feedback : [...keptFeedback, ...feedback].slice(-keptRequests);
      // A try waits for whoever holds the file. While the next one is due, more would queue up, and a drain behind them.
      if (!timer) writeOrRetry();
      return isAllWritten();
    },
    close() {
      if (timer) clearTimeout(timer);
      clearInterval(idle);
      writeKept();
      loseOldest(kept.length);
      if (keptFeedback.length > 0) {
        warn(`${keptFeedback.length} pieces of feedback are missing from the inference log ${file}.`);
      }
      connection.close();
    },
  };
}

/** How many of the latest requests may be kept. */
function keepable(requests: readonly LoggedRequest[]): number {
  let bytes = 0;
  let count = 0;
  while (count < Math.min(requests.length, keptRequests)) {
    bytes += requests[requests.length - 1 - count]?.packed?.length ?? 0;
    if (bytes > keptBytes) break;
    count += 1;
  }
  return count;
}

/** Tries again while another process holds the file: SQLite does not wait everywhere while a file is opened. */
function patiently(work: () => void): void {
  const deadline = performance.now() + openMilliseconds;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      const isBusy = error instanceof BetterSqlite3.SqliteError && error.code.startsWith('SQLITE_BUSY');
      if (!isBusy || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}
