import { numberOf } from '../tracker/numbers.ts';
import type { Row } from './rows.ts';
import { timeOf } from './times.ts';

/** What the cells of a column have in common; empty cells say nothing. */
export interface ColumnFacts {
  readonly name: string;
  readonly isNumeric: boolean;
  readonly isWhole: boolean;
  readonly isTime: boolean;
  readonly isEmpty: boolean;
  /** Whether every row has its own value. */
  readonly isUnique: boolean;
}

/** A column whose values are told apart has so many at most, to know whether they are unique. */
const mostValues = 1_000_000;

/** Looks at every row once. */
export function columnFacts(header: readonly string[], rows: Iterable<Row>): readonly ColumnFacts[] {
  const columns = header.map((name) => ({
    name,
    isNumeric: true,
    isWhole: true,
    isTime: true,
    isEmpty: true,
    isUnique: true,
    values: new Set<string>(),
  }));
  for (const { fields } of rows) {
    for (const [index, column] of columns.entries()) {
      const cell = fields[index]?.trim() ?? '';
      if (cell === '') {
        column.isUnique = false;
        continue;
      }
      column.isEmpty = false;
      if (column.isNumeric && numberOf(cell) === null) column.isNumeric = false;
      if (column.isWhole && !/^[+-]?\d+(\.0*)?$/.test(cell)) column.isWhole = false;
      if (column.isTime && timeOf(cell) === null) column.isTime = false;
      if (!column.isUnique) continue;
      if (column.values.has(cell) || column.values.size >= mostValues) {
        column.isUnique = false;
        column.values.clear();
      } else column.values.add(cell);
    }
  }
  return columns.map(({ values: _, ...facts }) => facts);
}

/** Whether a column only numbers the lines, as pandas writes it without a name. */
export function isLineNumber({ name, isWhole, isUnique }: ColumnFacts): boolean {
  return isWhole && isUnique && /^(Unnamed: \d+)?$/.test(name);
}
