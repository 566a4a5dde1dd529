import { existsSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';
import { createLoggedValuesReader, type StoredValues } from '../../protocol/loggedValues.ts';
import type { RequestFilter } from '../../protocol/requests.ts';
import { feedbackTable, inferenceLogTable, shadowVariant } from '../../protocol/scorer.ts';

/** A request as an inference log holds it. */
export interface RequestRow {
  readonly requestId: string;
  readonly receivedAt: number;
  readonly model: string | null;
  readonly version: number;
  readonly variant: string;
  readonly rowCount: number;
  readonly status: number;
  readonly latencyMicroseconds: number;
  /** JSON text, as `src/protocol/scorer.ts` describes it. */
  readonly inputs: string | null;
  readonly outputs: string | null;
}

/** What clients told later of a request: the last truth (JSON text) and the last reward. */
export interface Feedback {
  readonly truth: string | null;
  readonly reward: number | null;
}

export interface RequestSelection extends RequestFilter {
  /** Only requests for this model; null or left out means any. */
  readonly model?: string | null;
  /** Leaves out what only a shadow was asked, whose answers nobody got. */
  readonly withoutShadow?: boolean;
}

/** An inference log that is read while its scorer may be writing to it. */
export interface RequestRows {
  /** @throws SlipwayError `inferenceLogUnreadable`, as do the others. */
  count(selection: RequestSelection, limit: number): number;
  /** The latest requests, oldest of them first. */
  iterate(selection: RequestSelection, limit: number): Iterable<RequestRow>;
  feedback(requestId: string): Feedback;
  close(): void;
}

/** @throws SlipwayError `noLoggedRequests` when there is no log; `inferenceLogUnreadable` when it is too old or damaged. */
export function openRequestRows(file: string, endpoint: string): RequestRows {
  if (!existsSync(file)) throw new SlipwayError('noLoggedRequests', { endpoint });
  return reading(file, () => {
    const log = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 20_000 });
    try {
      return rowsOf(log, file);
    } catch (error) {
      log.close();
      throw error;
    }
  });
}

function rowsOf(log: BetterSqlite3.Database, file: string): RequestRows {
  if (Number(log.pragma('user_version', { simple: true })) < 2) {
    throw new SlipwayError('inferenceLogUnreadable', {
      path: file,
      detail: 'it was written by an older Slipway.',
    });
  }
  const feedbackOf = readFeedback(log);
  const reader = createLoggedValuesReader(log);
  return {
    count: (selection, limit) =>
      reading(
        file,
        () =>
          log
            .prepare<[Record<string, unknown>], number>(
              `SELECT count(*) FROM (SELECT 1 FROM ${inferenceLogTable} WHERE ${condition} LIMIT @limit)`,
            )
            .pluck()
            .get({ ...parameters(selection), limit }) ?? 0,
      ),
    *iterate(selection, limit) {
      try {
        // The first id of the latest ones: so the rows come in their order and are not held in memory.
        const first = log
          .prepare<[Record<string, unknown>], number | null>(
            `SELECT min(id) FROM (SELECT id FROM ${inferenceLogTable} WHERE ${condition} ORDER BY id DESC LIMIT @limit)`,
          )
          .pluck()
          .get({ ...parameters(selection), limit });
        const rows = log
          .prepare<[Record<string, unknown>], Omit<RequestRow, 'inputs' | 'outputs'> & StoredValues>(
            `SELECT request_id AS requestId, received_at AS receivedAt, model_name AS model, model_version AS version,
               variant, row_count AS rowCount, status, latency_us AS latencyMicroseconds, ${reader.columns}
             FROM ${inferenceLogTable} WHERE id >= @first AND ${condition} ORDER BY id LIMIT @limit`,
          )
          .iterate({ ...parameters(selection), limit, first: first ?? 0 });
        for (const row of rows) {
          yield { ...row, inputs: reader.text(row, 'inputs'), outputs: reader.text(row, 'outputs') };
        }
      } catch (error) {
        throw unreadable(error, file);
      }
    },
    feedback: feedbackOf,
    close: () => log.close(),
  };
}

/**
 * The log finds feedback by time only, so it is gathered by request once: looking all of it through for each request
 * would take hours.
 */
function readFeedback(log: BetterSqlite3.Database): RequestRows['feedback'] {
  log.exec(
    `CREATE TEMP TABLE told (request_id TEXT PRIMARY KEY, truth TEXT, reward REAL) WITHOUT ROWID;
     INSERT INTO told SELECT request_id, truth, reward FROM ${feedbackTable} WHERE true ORDER BY id
       ON CONFLICT (request_id) DO UPDATE
       SET truth = coalesce(excluded.truth, truth), reward = coalesce(excluded.reward, reward);`,
  );
  const told = log.prepare<[string], Feedback>('SELECT truth, reward FROM told WHERE request_id = ?');
  return (requestId) => told.get(requestId) ?? { truth: null, reward: null };
}

const condition = `
  (@from IS NULL OR received_at >= @from) AND (@to IS NULL OR received_at <= @to)
  AND (@version IS NULL OR model_version = @version) AND (@variant IS NULL OR variant = @variant)
  AND (@failed IS NULL OR (status >= 400) = @failed) AND (@requestId IS NULL OR request_id = @requestId)
  -- Requests of a log that once knew a single model have no name of it.
  AND (@model IS NULL OR model_name IS NULL OR model_name = @model)
  AND (NOT @withoutShadow OR variant <> '${shadowVariant}')`;

function parameters({
  failed,
  model = null,
  withoutShadow = false,
  ...filter
}: RequestSelection): Record<string, unknown> {
  return {
    ...filter,
    failed: failed === null ? null : Number(failed),
    model,
    withoutShadow: Number(withoutShadow),
  };
}

function reading<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw unreadable(error, file);
  }
}

function unreadable(error: unknown, path: string): unknown {
  if (error instanceof SlipwayError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new SlipwayError('inferenceLogUnreadable', { path, detail: `${detail}.` }, { cause: error });
}
