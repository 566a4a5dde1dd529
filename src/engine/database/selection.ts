import type { Database } from './connection.ts';

export type SqlValue = string | number | null;

/**
 * A SELECT that is put together from clauses, sorted by keys, and read page by page: a page begins after the sort
 * values of the last row of the page before, so that a deep page costs no more than the first.
 */
export interface Selection {
  /** Text of a JOIN, with its parameters. */
  join(sql: string, ...parameters: readonly SqlValue[]): void;
  /** A condition that must hold, with its parameters. */
  where(sql: string, ...parameters: readonly SqlValue[]): void;
  /** Adds a sort key: an expression without parameters, or one of a joined table. The keys together must be unique. */
  sortBy(expression: string, ascending: boolean): void;
  /** Reads up to `limit` rows. `last` is null when there are no more. */
  page<Row>(database: Database, limit: number, after: readonly SqlValue[] | null): SelectedPage<Row>;
}

export interface SelectedPage<Row> {
  readonly rows: readonly Row[];
  readonly last: readonly SqlValue[] | null;
}

/** Begins `SELECT columns FROM table`. */
export function createSelection(columns: string, table: string): Selection {
  const joins: string[] = [];
  const joinParameters: SqlValue[] = [];
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
    return [`(${alternatives.join(' OR ')})`, parameters];
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
      const rows = database
        .prepare<SqlValue[], Row & Readonly<Record<`sort_${number}`, SqlValue>>>(sql)
        .all(...joinParameters, ...conditionParameters, ...afterParameters, limit + 1);
      const lastRow = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        rows: rows.slice(0, limit),
        last: lastRow ? sortKeys.map((_, index) => lastRow[`sort_${index}`] ?? null) : null,
      };
    },
  };
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
