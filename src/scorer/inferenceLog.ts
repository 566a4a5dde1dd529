import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { type ColumnLayout, inputsJson, outputsJson } from './columns.ts';
import type { Tensor } from './datatypes.ts';
import type { OutputSpecification, TensorSpecification } from './model.ts';
import { shortestFloats } from './shortestFloat.ts';

/** One prediction request and what became of it. */
export interface LoggedRequest {
  readonly requestId: string;
  /** UTC milliseconds. */
  readonly receivedAt: number;
  readonly status: number;
  readonly latencyMicroseconds: number;
  /** Null for a request that was refused. */
  readonly values: { readonly feeds: readonly Tensor[]; readonly outputs: readonly Tensor[] } | null;
}

/** The writing side of the file that `src/protocol/scorer.ts` describes. */
export interface InferenceLog {
  /** Keeps a request for the next flush. Costs the caller nothing but memory. */
  add(request: LoggedRequest): void;
  /** Writes what is kept. A file that cannot be written now keeps it for the next time. */
  flush(): void;
  /** Flushes and closes the file. */
  close(): void;
}

export interface InferenceLogOptions {
  readonly file: string;
  readonly modelVersion: number;
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly OutputSpecification[];
  readonly layout: ColumnLayout | null;
  /** Told when rows cannot be written, and when rows are lost because they could not be for too long. */
  readonly warn: (message: string) => void;
}

const flushMilliseconds = 100;
const flushRows = 500;
/** Requests kept while the file cannot be written; beyond that the oldest are lost. */
const keptRequests = 10_000;

const schema = `
CREATE TABLE IF NOT EXISTS requests (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  model_version INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  status INTEGER NOT NULL,
  latency_us INTEGER NOT NULL,
  inputs TEXT,
  outputs TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS requests_by_time ON requests (received_at);
PRAGMA user_version = 1;
`;

/** Opens or creates the log of an endpoint. @throws SqliteError when the file cannot be opened. */
export function openInferenceLog(options: InferenceLogOptions): InferenceLog {
  mkdirSync(dirname(options.file), { recursive: true });
  const connection = new BetterSqlite3(options.file, { timeout: 1000 });
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = NORMAL');
  connection.exec(schema);
  const insert = connection.prepare(
    `INSERT INTO requests (request_id, received_at, model_version, row_count, status, latency_us, inputs, outputs)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );

  let kept: LoggedRequest[] = [];
  let rows = 0;
  let timer: NodeJS.Timeout | null = null;

  const writeAll = connection.transaction((requests: readonly LoggedRequest[]) => {
    for (const { requestId, receivedAt, status, latencyMicroseconds, values } of requests) {
      insert.run(
        requestId,
        receivedAt,
        options.modelVersion,
        values ? rowCount(values.feeds) : 0,
        status,
        latencyMicroseconds,
        values && inputsJson(values.feeds.map(shortestFloats), options.inputs, options.layout),
        values && outputsJson(values.outputs.map(shortestFloats), options.outputs),
      );
    }
  });
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (kept.length === 0) return;
    try {
      writeAll.immediate(kept);
      kept = [];
      rows = 0;
    } catch (error) {
      if (!(error instanceof BetterSqlite3.SqliteError)) throw error;
      options.warn(`The inference log ${options.file} cannot be written: ${error.message}`);
      const lost = kept.length - keptRequests;
      if (lost > 0) {
        kept = kept.slice(lost);
        options.warn(`${lost} requests are missing from the inference log ${options.file}.`);
      }
      timer = setTimeout(flush, 10 * flushMilliseconds);
    }
  };
  return {
    add(request) {
      kept.push(request);
      rows += request.values ? rowCount(request.values.feeds) : 1;
      // In a later turn of the event loop, so that the answers that are ready go out before the file is written.
      if (rows >= flushRows && kept.length < keptRequests) setImmediate(flush);
      timer ??= setTimeout(flush, flushMilliseconds);
    },
    flush,
    close() {
      flush();
      if (timer) clearTimeout(timer);
      connection.close();
    },
  };
}

/** The rows of a request: those of its first input; 1 where that is a scalar. */
function rowCount(feeds: readonly Tensor[]): number {
  return feeds[0]?.shape[0] ?? 1;
}
