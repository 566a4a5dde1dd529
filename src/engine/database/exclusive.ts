import BetterSqlite3 from 'better-sqlite3';

/** What keeps others out of a database until it is released. */
export interface ExclusiveHold {
  release(): void;
}

/**
 * Takes a database for itself alone. Leaving write-ahead logging is what SQLite grants only to a file's last connection, so
 * it tells whether any process has it open, one that only reads included.
 *
 * @returns null when another connection has it open.
 */
export function holdExclusively(file: string): ExclusiveHold | null {
  let connection: BetterSqlite3.Database;
  try {
    connection = new BetterSqlite3(file, { fileMustExist: true, timeout: 1_000 });
  } catch (error) {
    if (isDamage(error)) return { release: () => undefined };
    throw error;
  }
  try {
    const mode = connection.pragma('journal_mode = DELETE', { simple: true });
    if (mode !== 'delete')
      throw new BetterSqlite3.SqliteError('the database is open elsewhere', 'SQLITE_BUSY');
    connection.pragma('locking_mode = EXCLUSIVE');
    connection.exec('BEGIN EXCLUSIVE');
    return { release: () => connection.close() };
  } catch (error) {
    connection.close();
    if (error instanceof BetterSqlite3.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code)) return null;
    // What cannot be read any more, no engine works with.
    if (isDamage(error)) return { release: () => undefined };
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof BetterSqlite3.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
}
