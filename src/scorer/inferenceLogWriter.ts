import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { headField, headLength, noHead, shadowVariant } from '../protocol/inferenceLogTables.ts';
import type { InferenceLogOptions } from '../protocol/scorer.ts';
import { createLogRetention } from './inferenceLogRetention.ts';
import { prepareInferenceLog } from './inferenceLogSchema.ts';
import type { LogEntries, LoggedModel } from './logEntries.ts';
import type { RequestBlock } from './requestBlock.ts';

/** Writes an inference log. Blocks its thread while it writes. */
export interface InferenceLogWriter {
  /** Names a model for the requests that follow. */
  announce(number: number, model: LoggedModel): void;
  /** Writes entries, or keeps them while the file cannot take them, and tries again by itself. */
  write(entries: LogEntries): void;
  /** Writes what is kept, if the file takes it now, and closes the file. */
  close(): void;
}

export interface WriterEvents {
  /** Something cannot be written, or is lost. */
  readonly warn: (message: string) => void;
  /** Entries are in the file; told in the order of `write`. */
  readonly written: (entries: LogEntries) => void;
}

/** A block of many requests lies on a few pages: spread over many it takes twice as long to write. */
const pageBytes = 32 * 1024;
/** What is brought from the write-ahead log into the file at a time: more would hold up those that wait for longer. */
const checkpointBytes = 4 * 1024 * 1024;
const retryMilliseconds = 1_000;
/** How long a file that another scorer opens or closes at the same moment is tried. */
const openMilliseconds = 3_000;
const idleMilliseconds = 1_000;

/**
 * Opens or creates the log of an endpoint.
 *
 * @throws SqliteError when the file cannot be opened.
 */
export function openInferenceLogWriter(
  options: InferenceLogOptions,
  { warn, written }: WriterEvents,
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
    const deleted = prepareInferenceLog(connection);
    if (deleted > 0) {
      warn(
        `${deleted} requests, logged before the first release, were deleted from the inference log ${file}.`,
      );
    }
  });
  const retention = createLogRetention(connection, options);
  const models = new Map<number, LoggedModel>();
  /** The rows of `models` in the file, by the numbers of models. */
  const rows = new Map<number, number>();
  const addModel = connection.prepare<LoggedModel>(
    'INSERT INTO models (name, version, layout) VALUES (@name, @version, @layout) ON CONFLICT DO NOTHING',
  );
  const findModel = connection
    .prepare<LoggedModel, number>(
      'SELECT id FROM models WHERE name = @name AND version = @version AND layout = @layout',
    )
    .pluck();
  const insertBlock = connection.prepare<Record<string, unknown>>(
    `INSERT INTO blocks (id, request_count, first_at, last_at, row_count, first_row_at, last_row_at, variants, request_ids,
       heads, tensors)
     VALUES (coalesce((SELECT id + request_count FROM blocks ORDER BY id DESC LIMIT 1), 1), @count, @firstAt, @lastAt,
       @rowCount, @firstRowAt, @lastRowAt, @variants, @requestIds, @heads, @tensors)`,
  );
  const insertFeedback = connection.prepare(
    'INSERT INTO feedback (request_id, received_at, truth, reward) VALUES (?, ?, ?, ?)',
  );

  let kept: readonly LogEntries[] = [];
  let timer: NodeJS.Timeout | null = null;

  const rowOf = (number: number): number => {
    const known = rows.get(number);
    if (known !== undefined) return known;
    const model = models.get(number);
    if (model === undefined) throw new RangeError(`No model was announced under the number ${number}.`);
    addModel.run(model);
    const row = findModel.get(model) ?? noHead;
    rows.set(number, row);
    return row;
  };
  const addBlock = (block: RequestBlock) => {
    const heads = block.heads.slice();
    for (let at = headField.model; at < heads.length; at += headLength) {
      const number = heads[at] ?? noHead;
      if (number !== noHead) heads[at] = rowOf(number);
    }
    const { count, variants, requestIds, memory, bytes } = block;
    insertBlock.run({
      count,
      variants,
      requestIds,
      ...extentOf(block),
      heads: Buffer.from(heads.buffer),
      tensors: Buffer.from(memory, 0, bytes),
    });
  };
  const writeAll = connection.transaction((all: readonly LogEntries[]) => {
    for (const { requests, feedback } of all) {
      if (requests.count > 0) addBlock(requests);
      for (const { requestId, receivedAt, truth, reward } of feedback) {
        insertFeedback.run(requestId, receivedAt, truth, reward);
      }
    }
  });
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
    if (kept.length === 0) return;
    try {
      writeAll.immediate(kept);
    } catch (error) {
      if (!(error instanceof BetterSqlite3.SqliteError)) throw error;
      warn(`The inference log ${file} cannot be written: ${error.message}`);
      // Their rows were taken back with all others.
      rows.clear();
      return;
    }
    const all = kept;
    kept = [];
    for (const entries of all) written(entries);
    deleteOld();
  };
  const writeOrRetry = () => {
    timer = null;
    writeKept();
    if (kept.length > 0) timer = setTimeout(writeOrRetry, retryMilliseconds);
  };
  return {
    announce(number, model) {
      models.set(number, model);
    },
    write(entries) {
      kept = [...kept, entries];
      // A try waits for whoever holds the file. While the next one is due, more would queue up, and a drain behind them.
      if (!timer) writeOrRetry();
    },
    close() {
      if (timer) clearTimeout(timer);
      clearInterval(idle);
      writeKept();
      const lost = kept.reduce((sum, { requests }) => sum + requests.count, 0);
      if (lost > 0) warn(`${lost} requests are missing from the inference log ${file}.`);
      const told = kept.reduce((sum, { feedback }) => sum + feedback.length, 0);
      if (told > 0) warn(`${told} pieces of feedback are missing from the inference log ${file}.`);
      connection.close();
    },
  };
}

/** When the requests of a block came, and of those that count as rows: how many rows they have, and when they came. */
function extentOf({ count, heads, variants }: RequestBlock) {
  const names: readonly string[] = JSON.parse(variants);
  const shadow = names.indexOf(shadowVariant);
  let firstAt = Number.POSITIVE_INFINITY;
  let lastAt = Number.NEGATIVE_INFINITY;
  let firstRowAt: number | null = null;
  let lastRowAt: number | null = null;
  let rowCount = 0;
  for (let index = 0; index < count; index++) {
    const at = index * headLength;
    const receivedAt = heads[at + headField.receivedAt] ?? 0;
    firstAt = Math.min(firstAt, receivedAt);
    lastAt = Math.max(lastAt, receivedAt);
    const rows = heads[at + headField.rowCount] ?? 0;
    if (rows === 0 || heads[at + headField.variant] === shadow) continue;
    rowCount += rows;
    firstRowAt = Math.min(firstRowAt ?? receivedAt, receivedAt);
    lastRowAt = Math.max(lastRowAt ?? receivedAt, receivedAt);
  }
  return { firstAt, lastAt, rowCount, firstRowAt, lastRowAt };
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
