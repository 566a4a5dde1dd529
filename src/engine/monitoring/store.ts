import { existsSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';
import { createInferenceLogReader, type LogExtent } from '../../protocol/inferenceLogReader.ts';

/**
 * From when to when an inference log reaches, and how many rows it holds. Requests that were refused do not count, nor
 * does what a shadow heard.
 * Nothing when there is no log yet.
 *
 * @throws SlipwayError `dataUnreadable`.
 */
export function readLogExtent(file: string): LogExtent {
  if (!existsSync(file)) return { firstRequest: null, lastRequest: null, rowCount: 0 };
  try {
    const log = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 20_000 });
    try {
      return createInferenceLogReader(log).extent();
    } finally {
      log.close();
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('dataUnreadable', { path: file, detail }, { cause: error });
  }
}
