import BetterSqlite3 from 'better-sqlite3';
import { explainRefusal, SlipwayError } from '../../protocol/errors.ts';
import { migrations as allMigrations, type Migration } from './migrations/index.ts';

/**
 * The open store. Statements are prepared once and kept by whoever prepares them.
 *
 * An acknowledged `transaction` survives the death of the process; an acknowledged `durableTransaction` survives
 * power loss too. Both take the write lock at once, so several engines on one file wait for each other.
 */
export interface Database {
  /** Absolute path of the file. */
  readonly file: string;
  prepare<Parameters extends unknown[], Row>(sql: string): BetterSqlite3.Statement<Parameters, Row>;
  transaction<Result>(work: () => Result): Result;
  durableTransaction<Result>(work: () => Result): Result;
  /** Another number than before when another connection, of this or another process, has written meanwhile. */
  dataVersion(): number;
  /** Merges the log into the file and cuts it, as far as nobody reads it: does not wait for a reader, such as a backup. */
  mergeLog(): void;
  close(): void;
}

export interface OpenOptions {
  /** All unless said. */
  readonly migrations?: readonly Migration[];
  /** Told a share between 0 and 1 before each step in which an older store is brought up to date; the first is 0. */
  readonly upgrading?: (fraction: number) => void;
}

/** A write waits this long for another process to end its own, then fails with `storeBusy`. */
const patienceMilliseconds = 20_000;

/** A log that grew beyond this, while a backup or a long read kept it from being reused, is cut back to it. */
const largestKeptLogBytes = 64 * 1024 * 1024;

/**
 * The log is merged into the file whenever it has so many pages, 16 MB. SQLite would do so after a quarter of that: then
 * a busy run waits for the disk more often, and pages that change all the time are written again and again.
 */
const pagesBetweenMerges = 4000;

/**
 * Opens the store at `file`, creates it when it is not there (its folder must be), and brings its schema up to date.
 *
 * @throws SlipwayError `storeTooNew` when a newer Slipway wrote it, `storeDamaged`, `diskFull`, `storeNotWritable`,
 * `storeBusy` or `storeUnreadable` when it cannot be used.
 */
export function openDatabase(file: string, options: OpenOptions = {}): Database {
  const connection = connect(file);
  try {
    migrate(connection, file, options);
  } catch (error) {
    connection.close();
    throw explainRefusal(error, file);
  }
  return {
    file,
    prepare: (sql) => connection.prepare(sql),
    transaction: (work) => runTransaction(connection, file, work),
    durableTransaction: (work) => {
      if (connection.inTransaction) return work();
      connection.pragma('synchronous = FULL');
      try {
        return runTransaction(connection, file, work);
      } finally {
        connection.pragma('synchronous = NORMAL');
      }
    },
    dataVersion: () => Number(connection.pragma('data_version', { simple: true })),
    mergeLog() {
      connection.pragma('busy_timeout = 0');
      try {
        connection.pragma('wal_checkpoint(TRUNCATE)');
      } finally {
        connection.pragma(`busy_timeout = ${patienceMilliseconds}`);
      }
    },
    close: () => connection.close(),
  };
}

function connect(file: string): BetterSqlite3.Database {
  let connection: BetterSqlite3.Database | null = null;
  try {
    connection = new BetterSqlite3(file, { timeout: patienceMilliseconds });
    connection.pragma('journal_mode = WAL');
    connection.pragma(`journal_size_limit = ${largestKeptLogBytes}`);
    connection.pragma(`wal_autocheckpoint = ${pagesBetweenMerges}`);
    connection.pragma('synchronous = NORMAL');
    connection.pragma('foreign_keys = ON');
    connection.pragma('case_sensitive_like = ON');
    return connection;
  } catch (error) {
    connection?.close();
    const explained = explainRefusal(error, file);
    if (explained instanceof SlipwayError) throw explained;
    throw new SlipwayError('storeUnreadable', { path: file, detail: messageOf(error) }, { cause: error });
  }
}

function migrate(
  connection: BetterSqlite3.Database,
  file: string,
  { migrations = allMigrations, upgrading }: OpenOptions,
): void {
  const known = migrations.at(-1)?.version ?? 0;
  const found = schemaVersion(connection);
  if (found > known) throw new SlipwayError('storeTooNew', { path: file, found, known });
  const missing = migrations.filter(({ version }) => version > found);
  for (const [index, { version, sql }] of missing.entries()) {
    if (found > 0) upgrading?.(index / missing.length);
    runTransaction(connection, file, () => {
      // Read again inside the lock: another engine may have migrated meanwhile.
      if (schemaVersion(connection) >= version) return;
      connection.exec(sql);
      connection.pragma(`user_version = ${version}`);
    });
  }
}

function schemaVersion(connection: BetterSqlite3.Database): number {
  return Number(connection.pragma('user_version', { simple: true }));
}

function runTransaction<Result>(
  connection: BetterSqlite3.Database,
  file: string,
  work: () => Result,
): Result {
  if (connection.inTransaction) return work();
  try {
    return connection.transaction(work).immediate();
  } catch (error) {
    throw explainRefusal(error, file);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
