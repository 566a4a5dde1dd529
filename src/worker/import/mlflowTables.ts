import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';
import type { KeyValue } from '../../protocol/tracking.ts';

export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

/**
 * Reads tables of an MLflow database whose columns differ from version to version. No statement stays open between two
 * calls: MLflow writes without a log, so an open one would keep its server waiting.
 */
export interface MlflowTables {
  has(table: string, column?: string): boolean;
  /**
   * Rows in order of their rowid, in pages; a column that the table lacks is null. Each has its `rowid`.
   *
   * @param where a condition with its parameters; it may name only columns that are there.
   */
  pages(
    table: string,
    columns: readonly string[],
    where?: readonly [condition: string, ...parameters: readonly Cell[]],
    after?: number,
  ): Iterable<readonly Row[]>;
  /** All rows of a condition, for where they are few. */
  rows(
    table: string,
    columns: readonly string[],
    where: readonly [condition: string, ...parameters: readonly Cell[]],
  ): readonly Row[];
  /**
   * The condition that a column is a parameter, in a form that is fast. Older schemas have no index over the runs of
   * metrics, parameters and tags; then one is made outside of the database.
   */
  equals(table: string, column: string): string;
  /** How many rows a table has; 0 when there is no such table. */
  count(table: string): number;
  /** The highest rowid, of those that fit the condition; 0 when there is none. */
  lastRow(table: string, where?: readonly [condition: string, ...parameters: readonly Cell[]]): number;
  close(): void;
}

const rowsInPage = 5000;
/** The experiment "Default" has rowid 0. */
const beforeAll = Number.MIN_SAFE_INTEGER;
/** MLflow's server waits 20 seconds for others; so does one who reads beside it, and a little longer. */
const patienceMilliseconds = 30_000;

/**
 * Opens an MLflow database to read it.
 *
 * @throws SlipwayError `importUnreadable`
 */
export function openMlflowTables(file: string): MlflowTables {
  const opened = open(file);
  const { connection } = opened;
  const columnsOf = new Map<string, ReadonlySet<string>>();
  const columns = (table: string): ReadonlySet<string> => {
    const found = columnsOf.get(table);
    if (found) return found;
    const rows = connection
      .prepare<[string], { readonly name: string }>('SELECT name FROM pragma_table_info(?)')
      .all(table);
    const names = new Set(rows.map(({ name }) => name));
    columnsOf.set(table, names);
    return names;
  };
  const statements = new Map<string, BetterSqlite3.Statement<Cell[], Row>>();
  const prepare = (sql: string) => {
    const found = statements.get(sql);
    if (found) return found;
    const statement = connection.prepare<Cell[], Row>(sql);
    statements.set(sql, statement);
    return statement;
  };
  const listOf = (table: string, wanted: readonly string[]) =>
    ['rowid', ...wanted]
      .map((name) => (name === 'rowid' ? name : columns(table).has(name) ? exact(name) : `NULL AS "${name}"`))
      .join(', ');

  const conditions = new Map<string, string>();
  const tables: MlflowTables = {
    has: (table, column) => (column === undefined ? columns(table).size > 0 : columns(table).has(column)),
    *pages(table, wanted, where = ['1'], after = beforeAll) {
      if (!tables.has(table)) return;
      const [condition, ...parameters] = where;
      const select = prepare(
        `SELECT ${listOf(table, wanted)} FROM "${table}" WHERE (${condition}) AND rowid > ? ORDER BY rowid LIMIT ${rowsInPage}`,
      );
      for (let last = after; ; ) {
        const rows = select.all(...parameters, last);
        if (rows.length > 0) yield rows;
        if (rows.length < rowsInPage) return;
        last = Number(rows.at(-1)?.rowid);
      }
    },
    rows(table, wanted, [condition, ...parameters]) {
      if (!tables.has(table)) return [];
      return prepare(`SELECT ${listOf(table, wanted)} FROM "${table}" WHERE ${condition} ORDER BY rowid`).all(
        ...parameters,
      );
    },
    equals(table, column) {
      const known = conditions.get(`${table}.${column}`);
      if (known !== undefined) return known;
      let condition = `"${column}" = ?`;
      if (tables.has(table, column) && !isIndexed(connection, table, column)) {
        const lookup = `lookup_${conditions.size}`;
        connection.exec(
          `CREATE TEMP TABLE ${lookup} (value, row INTEGER, PRIMARY KEY (value, row)) WITHOUT ROWID;
           INSERT INTO ${lookup} SELECT "${column}", rowid FROM "${table}";`,
        );
        condition = `rowid IN (SELECT row FROM ${lookup} WHERE value = ?)`;
      }
      conditions.set(`${table}.${column}`, condition);
      return condition;
    },
    count: (table) =>
      tables.has(table) ? Number(prepare(`SELECT count(*) AS count FROM "${table}"`).get()?.count) : 0,
    lastRow(table, where = ['1']) {
      if (!tables.has(table)) return 0;
      const [condition, ...parameters] = where;
      return Number(
        prepare(`SELECT max(rowid) AS last FROM "${table}" WHERE ${condition}`).get(...parameters)?.last ?? 0,
      );
    },
    close() {
      connection.close();
      opened.cleanUp();
    },
  };
  return tables;
}

/** The columns `key` and `value` of rows. */
export function keyValues(rows: readonly Row[]): readonly KeyValue[] {
  return rows.map(({ key, value }) => ({ key: String(key), value: String(value ?? '') }));
}

export function textOrNull(cell: Cell | undefined): string | null {
  return cell === null || cell === undefined ? null : String(cell);
}

/** Integers beyond what a JavaScript number holds exactly come as text. */
function exact(column: string): string {
  return `CASE WHEN typeof("${column}") = 'integer' AND "${column}" NOT BETWEEN -9007199254740991 AND 9007199254740991
    THEN CAST("${column}" AS TEXT) ELSE "${column}" END AS "${column}"`;
}

/** Whether an index begins with a column. */
function isIndexed(connection: BetterSqlite3.Database, table: string, column: string): boolean {
  const found = connection
    .prepare<[string, string], { readonly count: number }>(
      `SELECT count(*) AS count FROM pragma_index_list(?) l, pragma_index_info(l.name) i
       WHERE i.seqno = 0 AND i.name = ?`,
    )
    .get(table, column);
  return (found?.count ?? 0) > 0;
}

interface Opened {
  readonly connection: BetterSqlite3.Database;
  cleanUp(): void;
}

function open(file: string): Opened {
  try {
    return { connection: connect(file, true), cleanUp: () => undefined };
  } catch (error) {
    if (!(error instanceof BetterSqlite3.SqliteError) || !/^SQLITE_(READONLY|CANTOPEN)/.test(error.code)) {
      throw unreadable(file, error);
    }
    // A server that died left work to undo, or a log that cannot be read where nothing may be written.
    return openCopy(file);
  }
}

function openCopy(file: string): Opened {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-import-'));
  const cleanUp = () => rmSync(folder, { recursive: true, force: true });
  try {
    for (const suffix of ['', '-journal', '-wal']) {
      if (existsSync(file + suffix)) copyFileSync(file + suffix, join(folder, basename(file) + suffix));
    }
    return { connection: connect(join(folder, basename(file)), false), cleanUp };
  } catch (error) {
    cleanUp();
    throw unreadable(file, error);
  }
}

function connect(file: string, readonly: boolean): BetterSqlite3.Database {
  const connection = new BetterSqlite3(file, {
    readonly,
    fileMustExist: true,
    timeout: patienceMilliseconds,
  });
  try {
    // Reads the file, so that one that cannot be read is found out here.
    connection.prepare('SELECT count(*) FROM sqlite_schema').get();
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function unreadable(file: string, error: unknown): SlipwayError {
  const detail = error instanceof Error ? error.message : String(error);
  return new SlipwayError('importUnreadable', { path: file, detail }, { cause: error });
}
