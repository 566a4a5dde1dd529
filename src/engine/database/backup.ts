import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';

export interface CopyControl {
  readonly signal: AbortSignal;
  /** Told a share between 0 and 1. */
  readonly progress: (fraction: number) => void;
}

/** Copied in one go, which takes a few milliseconds; then others have their turn. */
const pagesAtOnce = 1_000;

/**
 * Copies a database that others may be writing to into a new file, as it was at one moment (SQLite's online backup,
 * https://sqlite.org/backup.html). The copy is a single file without a log.
 *
 * Reads over a connection of its own that holds on to that moment: a write by another connection would make SQLite begin
 * the copy anew, for ever when there is always somebody writing.
 *
 * @throws SlipwayError `cancelled`; what SQLite or the file system refuse is thrown as it is.
 */
export async function copyDatabase(from: string, to: string, control: CopyControl): Promise<void> {
  const source = new BetterSqlite3(from, { readonly: true, fileMustExist: true, timeout: 20_000 });
  try {
    source.exec('BEGIN');
    source.prepare('SELECT COUNT(*) FROM sqlite_master').get();
    await source.backup(to, {
      progress({ totalPages, remainingPages }) {
        if (control.signal.aborted) throw new SlipwayError('cancelled');
        control.progress(totalPages === 0 ? 0 : 1 - remainingPages / totalPages);
        return pagesAtOnce;
      },
    });
  } finally {
    source.close();
  }
  const copy = new BetterSqlite3(to);
  try {
    copy.pragma('journal_mode = DELETE');
  } finally {
    copy.close();
  }
}
