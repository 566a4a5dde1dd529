import { existsSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';
import {
  createInferenceLogReader,
  isMeant,
  type LoggedRequest,
  type LogRange,
} from '../../protocol/inferenceLogReader.ts';
import { feedbackTable, shadowVariant } from '../../protocol/inferenceLogTables.ts';
import type { RequestFilter } from '../../protocol/requests.ts';

/** A request as an inference log holds it, with its values as JSON texts. */
export interface RequestRow extends Omit<LoggedRequest, 'text' | 'values' | 'bytes'> {
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

/** The requests that were selected. */
export interface SelectedRequests {
  readonly count: number;
  /**
   * Oldest first, without those that came since; fewer where the log forgot some meanwhile.
   *
   * @throws SlipwayError `inferenceLogUnreadable`.
   */
  rows(): Iterable<RequestRow>;
}

/** An inference log that is read while its scorer may be writing to it. */
export interface RequestRows {
  /** The latest requests. @throws SlipwayError `inferenceLogUnreadable`, as do the others. */
  latest(selection: RequestSelection, limit: number): SelectedRequests;
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
  const reader = createInferenceLogReader(log);
  const feedbackOf = readFeedback(log);
  function* rows(selection: RequestSelection, ids: Pick<LogRange, 'since' | 'before'>): Iterable<RequestRow> {
    try {
      for (const request of reader.oldestFirst({ ...rangeOf(selection), ...ids })) {
        if (!isSelected(request, selection)) continue;
        yield { ...request, inputs: request.text('inputs'), outputs: request.text('outputs') };
      }
    } catch (error) {
      throw unreadable(error, file);
    }
  }
  return {
    latest: (selection, limit) =>
      reading(file, () => {
        // Only between which ids they are is kept, not the requests.
        let count = 0;
        let since = 0;
        let before = 0;
        if (limit > 0) {
          for (const request of reader.newestFirst(rangeOf(selection))) {
            if (!isSelected(request, selection)) continue;
            if (count === 0) before = request.id + 1;
            since = request.id;
            count += 1;
            if (count === limit) break;
          }
        }
        return { count, rows: () => rows(selection, { since, before }) };
      }),
    feedback: feedbackOf,
    close: () => log.close(),
  };
}

function rangeOf({ from, to, requestId }: RequestSelection) {
  return { from, to, requestId };
}

function isSelected(
  request: LoggedRequest,
  { model = null, withoutShadow = false, ...filter }: RequestSelection,
): boolean {
  return (
    (model === null || request.model === null || request.model === model) &&
    !(withoutShadow && request.variant === shadowVariant) &&
    isMeant(request, filter)
  );
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
