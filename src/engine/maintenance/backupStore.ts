import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';
import type { StoreContent } from '../../protocol/maintenance.ts';

/** A store's `StoreContent`. */
export const contentQuery = `SELECT (SELECT COUNT(*) FROM experiments) AS experiments, (SELECT COUNT(*) FROM runs) AS runs,
  (SELECT COUNT(*) FROM model_versions WHERE deleted = 0) AS modelVersions,
  (SELECT user_version FROM pragma_user_version) AS "schema"`;

/**
 * What a database file that may be a backup holds.
 *
 * @param known the newest schema that can be opened here.
 * @throws SlipwayError `noBackup` when it is no store, `storeTooNew` when a newer Slipway wrote it.
 */
export function readBackupContent(file: string, known: number): StoreContent {
  let backup: BetterSqlite3.Database | null = null;
  try {
    backup = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 20_000 });
    const found = Number(backup.pragma('user_version', { simple: true }));
    if (found > known) throw new SlipwayError('storeTooNew', { path: file, found, known });
    const content = backup.prepare<[], StoreContent>(contentQuery).get();
    if (content && found > 0) return content;
    throw new SlipwayError('noBackup', { path: file, detail: 'it holds no runs of Slipway' });
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('noBackup', { path: file, detail }, { cause: error });
  } finally {
    backup?.close();
  }
}
