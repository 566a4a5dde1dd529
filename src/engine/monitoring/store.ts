import { existsSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';
import { inferenceLogVersion } from '../../protocol/inferenceLogTables.ts';
import type { DriftSources } from '../../protocol/monitoring.ts';

export type LogExtent = Pick<DriftSources, 'firstRequest' | 'lastRequest' | 'rowCount'>;

/**
 * From when to when an inference log reaches, and how many rows it holds. Requests that were refused do not count, nor
 * does what a shadow heard.
 * Nothing when there is no log yet.
 *
 * @throws SlipwayError `dataUnreadable`.
 */
export function readLogExtent(file: string): LogExtent {
  const nothing = { firstRequest: null, lastRequest: null, rowCount: 0 };
  if (!existsSync(file)) return nothing;
  try {
    const log = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 20_000 });
    try {
      const version = Number(log.pragma('user_version', { simple: true }));
      // Its scorer is just making the tables.
      if (version === 0) return nothing;
      if (version !== inferenceLogVersion) throw new Error('it was written by another version of Slipway');
      return log.prepare<[], LogExtent>(extentQuery).get() ?? nothing;
    } finally {
      log.close();
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('dataUnreadable', { path: file, detail }, { cause: error });
  }
}

const extentQuery = `
SELECT min(first_row_at) AS firstRequest, max(last_row_at) AS lastRequest, coalesce(sum(row_count), 0) AS rowCount
FROM blocks`;
