import { existsSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';
import type { DriftSources } from '../../protocol/monitoring.ts';
import { inferenceLogTable, shadowVariant } from '../../protocol/scorer.ts';

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
      // A log that no scorer has opened since there are shadows has no column for them.
      const knowsShadows = Number(log.pragma('user_version', { simple: true })) >= 2;
      const condition = knowsShadows ? ` AND variant <> '${shadowVariant}'` : '';
      return log.prepare<[], LogExtent>(extentQuery + condition).get() ?? nothing;
    } finally {
      log.close();
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('dataUnreadable', { path: file, detail }, { cause: error });
  }
}

const extentQuery = `
SELECT min(received_at) AS firstRequest, max(received_at) AS lastRequest, coalesce(sum(row_count), 0) AS rowCount
FROM ${inferenceLogTable} WHERE row_count > 0`;
