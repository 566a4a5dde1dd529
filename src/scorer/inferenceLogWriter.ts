import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { type ColumnLayout, columnJson, inputsJson, outputsJson } from './columns.ts';
import { rowCount, type Tensor } from './datatypes.ts';
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

/** The file that `src/protocol/scorer.ts` describes, and what of the model is needed to name its columns. */
export interface LogFile {
  readonly file: string;
  readonly modelVersion: number;
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly OutputSpecification[];
  readonly layout: ColumnLayout | null;
}

/** Writes an inference log. Blocks its thread while it writes. */
export interface InferenceLogWriter {
  /** Writes requests. Those that the file cannot take now are kept for the next time, which comes by itself. */
  write(requests: readonly LoggedRequest[]): void;
  /** Writes what is kept, if the file takes it now, and closes the file. */
  close(): void;
}

const retryMilliseconds = 1_000;
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

/**
 * Opens or creates the log of an endpoint.
 *
 * @param warn told when requests cannot be written, and when some are lost because they could not be for too long.
 * @throws SqliteError when the file cannot be opened.
 */
export function openInferenceLogWriter(
  { file, modelVersion, inputs, outputs, layout }: LogFile,
  warn: (message: string) => void,
): InferenceLogWriter {
  mkdirSync(dirname(file), { recursive: true });
  const connection = new BetterSqlite3(file, { timeout: 1000 });
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = NORMAL');
  connection.exec(schema);
  const insert = connection.prepare(
    `INSERT INTO requests (request_id, received_at, model_version, row_count, status, latency_us, inputs, outputs)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );

  let kept: readonly LoggedRequest[] = [];
  let timer: NodeJS.Timeout | null = null;

  const writeAll = connection.transaction((requests: readonly LoggedRequest[]) => {
    for (const { requestId, receivedAt, status, latencyMicroseconds, values } of requests) {
      insert.run(
        requestId,
        receivedAt,
        modelVersion,
        values ? rowCount(values.feeds) : 0,
        status,
        latencyMicroseconds,
        values && inputsJson(values.feeds.map(shortestFloats), inputs, layout),
        values && outputsJson(values.outputs.map(shortestFloats), outputs, columnJson),
      );
    }
  });
  const loseOldest = (count: number) => {
    if (count <= 0) return;
    kept = kept.slice(count);
    warn(`${count} requests are missing from the inference log ${file}.`);
  };
  const writeKept = () => {
    if (kept.length === 0) return;
    try {
      writeAll.immediate(kept);
      kept = [];
    } catch (error) {
      if (!(error instanceof BetterSqlite3.SqliteError)) throw error;
      warn(`The inference log ${file} cannot be written: ${error.message}`);
    }
  };
  const writeOrRetry = () => {
    timer = null;
    writeKept();
    loseOldest(kept.length - keptRequests);
    if (kept.length > 0) timer = setTimeout(writeOrRetry, retryMilliseconds);
  };
  return {
    write(requests) {
      kept = kept.length === 0 ? requests : [...kept, ...requests];
      // A try waits for whoever holds the file. While the next one is due, more would queue up, and a drain behind them.
      if (!timer) writeOrRetry();
    },
    close() {
      if (timer) clearTimeout(timer);
      writeKept();
      loseOldest(kept.length);
      connection.close();
    },
  };
}
