import type { Statement } from 'better-sqlite3';
import type { Database } from './connection.ts';

export type SqlValue = string | number | null;

/** A part of a statement with its parameters. */
export type SqlPart = readonly [sql: string, ...parameters: readonly SqlValue[]];

/**
 * A SELECT that is put together from clauses, sorted by keys, and read page by page: a page begins after the sort
 * values of the last row of the page before, so that a deep page costs no more than the first.
 */
export interface Selection {
  /** Text of a JOIN, with its parameters. */
  join(sql: string, ...parameters: readonly SqlValue[]): void;
  /** A condition that must hold, with its parameters. */
  where(sql: string, ...parameters: readonly SqlValue[]): void;
  /**
   * Adds a sort key: an expression without parameters, or one of a joined table. The keys together must be unique. A
   * key that may be null follows one that tells whether it is.
   */
  sortBy(expression: string, ascending: boolean): void;
  /** Reads up to `limit` rows, which may be 0 to learn whether there is one. */
  page<Row>(database: Database, limit: number, after: readonly SqlValue[] | null): SelectedPage<Row>;
}

export interface SelectedPage<Row> {
  readonly rows: readonly Row[];
  /** Sort values of the last of the rows when there are more; null when there are none. */
  readonly last: readonly SqlValue[] | null;
  /** Whether there are more rows. */
  readonly hasMore: boolean;
  /** Sort values of the last of the rows; null when there is none. */
  readonly end: readonly SqlValue[] | null;
}

type SortedRow<Row> = Row & Readonly<Record<`sort_${number}`, SqlValue>>;

/** Begins `SELECT columns FROM table`; the table may bring parameters. */
export function createSelection(
  columns: string,
  table: string,
  ...tableParameters: readonly SqlValue[]
): Selection {
  const joins: string[] = [];
  const joinParameters: SqlValue[] = [...tableParameters];
  const conditions: string[] = [];
  const conditionParameters: SqlValue[] = [];
  const sortKeys: { readonly expression: string; readonly ascending: boolean }[] = [];

  const afterCondition = (after: readonly SqlValue[]): [string, SqlValue[]] => {
    const parameters: SqlValue[] = [];
    const alternatives = sortKeys.map(({ expression, ascending }, index) => {
      const ties = sortKeys.slice(0, index).map((key, tie) => {
        parameters.push(after[tie] ?? null);
        return `${key.expression} IS ?`;
      });
      parameters.push(after[index] ?? null);
      return `(${[...ties, `${expression} ${ascending ? '>' : '<'} ?`].join(' AND ')})`;
    });
    const [first] = sortKeys;
    const start = after[0] ?? null;
    if (!first || start === null) return [`(${alternatives.join(' OR ')})`, parameters];
    // Says nothing new, yet only such a plain bound lets SQLite begin in the middle of an index.
    const bound = `${first.expression} ${first.ascending ? '>=' : '<='} ?`;
    return [`${bound} AND (${alternatives.join(' OR ')})`, [start, ...parameters]];
  };

  return {
    join(sql, ...parameters) {
      joins.push(sql);
      joinParameters.push(...parameters);
    },
    where(sql, ...parameters) {
      conditions.push(sql);
      conditionParameters.push(...parameters);
    },
    sortBy: (expression, ascending) => sortKeys.push({ expression, ascending }),
    page<Row>(database: Database, limit: number, after: readonly SqlValue[] | null): SelectedPage<Row> {
      const [afterSql, afterParameters] = after === null ? ['', []] : afterCondition(after);
      const where = [...conditions, ...(afterSql === '' ? [] : [afterSql])].join(' AND ');
      const sortValues = sortKeys.map(({ expression }, index) => `, ${expression} AS sort_${index}`).join('');
      const order = sortKeys.map(
        ({ expression, ascending }) => `${expression} ${ascending ? 'ASC' : 'DESC'}`,
      );
      const sql = `SELECT ${columns}${sortValues} FROM ${table} ${joins.join(' ')}${
        where === '' ? '' : ` WHERE ${where}`
      } ORDER BY ${order.join(', ')} LIMIT ?`;
      const found = prepareOnce<SortedRow<Row>>(database, sql).all(
        ...joinParameters,
        ...conditionParameters,
        ...afterParameters,
        limit + 1,
      );
      const rows = found.slice(0, limit);
      const lastRow = rows.at(-1);
      const end = lastRow ? sortKeys.map((_, index) => lastRow[`sort_${index}`] ?? null) : null;
      const hasMore = found.length > limit;
      return { rows, last: hasMore ? end : null, hasMore, end };
    },
  };
}

/** Statements are kept by their text, as few shapes of searches make up most: so many of each database, the oldest go. */
const mostStatements = 200;
const prepared = new WeakMap<Database, Map<string, Statement<SqlValue[], unknown>>>();

/** The statement of a text that is put together for one search, compiled anew only when it was not asked for lately. */
export function prepareOnce<Row>(database: Database, sql: string): Statement<SqlValue[], Row> {
  let statements = prepared.get(database);
  if (!statements) {
    statements = new Map();
    prepared.set(database, statements);
  }
  const statement = statements.get(sql) ?? database.prepare<SqlValue[], unknown>(sql);
  statements.delete(sql);
  statements.set(sql, statement);
  const [oldest] = statements.keys();
  if (statements.size > mostStatements && oldest !== undefined) statements.delete(oldest);
  // The text says what its rows are, and the types cannot.
  return statement as Statement<SqlValue[], Row>;
}

/** `expression operator value` as SQL with parameters. LIKE is case-sensitive on our connections, ILIKE is not. */
export function comparisonSql(
  expression: string,
  operator: string,
  value: number | string | readonly string[] | null,
): [sql: string, ...parameters: SqlValue[]] {
  if (operator === 'IN' || operator === 'NOT IN') {
    return [`${expression} ${operator} (SELECT value FROM json_each(?))`, JSON.stringify(value)];
  }
  if (value === null || typeof value === 'object') return [`${expression} ${operator}`];
  if (operator === 'ILIKE') return [`LOWER(${expression}) LIKE LOWER(?)`, value];
  return [`${expression} ${operator} ?`, value];
}

/** `expression` is one of the values, which are few. With one value SQLite can use the order of an index behind it. */
export function oneOf(expression: string, values: readonly (string | number)[]): SqlPart {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return [`${expression} = ?`, only];
  return [`${expression} IN (SELECT value FROM json_each(?))`, JSON.stringify(values)];
}
