import type { ColumnDrift } from '../protocol/monitoring.ts';
import { categoricalDrift, missingDrift, numericDrift } from '../statistics/drift.ts';
import type { ColumnValues } from './columnValues.ts';
import type { ColumnKind } from './referenceTable.ts';

/** A column's comparison, and how far it moved: the larger of PSI over its limit in its values and its missing share. */
export interface ComparedColumn {
  readonly column: ColumnDrift;
  readonly movement: number;
}

/**
 * Compares one column of both sides. `kind` is how the reference stores it, and decides how the requests are read:
 * numbers sent as text count as numbers, 0 and 1 as false and true, and the other way round.
 *
 * Numbers are compared as numbers, unless both sides hold whole numbers of at most ten distinct values: those are
 * codes or small counts, and compared as categories like text and truth values.
 */
export function compareColumn(
  name: string,
  kind: ColumnKind,
  reference: ColumnValues,
  current: ColumnValues,
): ComparedColumn {
  return kind === 'number'
    ? compareNumbers(name, asNumbers(reference), asNumbers(current))
    : compareLevels(name, asLevels(kind, reference), asLevels(kind, current));
}

interface Numbers {
  readonly values: Float64Array;
  readonly missing: number;
}

interface Levels {
  readonly levels: ReadonlyMap<string, number>;
  readonly rows: number;
  readonly missing: number;
}

const mostDistinctCodes = 10;

function compareNumbers(name: string, reference: Numbers, current: Numbers): ComparedColumn {
  if (holdCodes(reference.values, current.values)) {
    return compareLevels(name, countCodes(reference), countCodes(current));
  }
  const [referenceValues, currentValues] = inCommonPrecision(reference.values, current.values);
  const drift = numericDrift(referenceValues.sort(), currentValues.sort());
  return compared(
    name,
    drift,
    missingOf(reference.values.length, reference, current.values.length, current),
    {
      test: { name: 'kolmogorovSmirnov', statistic: drift.statistic, pValue: drift.pValue },
      histogram: { kind: 'numeric', ...drift.histogram },
      counts: { reference: reference.values.length, current: current.values.length },
      infinite: { reference: countInfinite(reference.values), current: countInfinite(current.values) },
    },
  );
}

function compareLevels(name: string, reference: Levels, current: Levels): ComparedColumn {
  const drift = categoricalDrift(reference.levels, current.levels);
  return compared(name, drift, missingOf(reference.rows, reference, current.rows, current), {
    test: { name: 'chiSquare', statistic: drift.statistic, pValue: drift.pValue },
    histogram: { kind: 'categorical', ...drift.histogram },
    counts: { reference: reference.rows, current: current.rows },
    infinite: { reference: 0, current: 0 },
  });
}

interface Moved {
  readonly psi: number;
  readonly psiLimit: number;
  readonly drifted: boolean;
}

function compared(
  name: string,
  values: Moved,
  missing: Moved & { readonly shares: ColumnDrift['missing'] },
  rest: Pick<ColumnDrift, 'test' | 'histogram' | 'counts' | 'infinite'>,
): ComparedColumn {
  const driftedIn = [
    ...(values.drifted ? (['values'] as const) : []),
    ...(missing.drifted ? (['missing'] as const) : []),
  ];
  return {
    column: {
      name,
      drifted: driftedIn.length > 0,
      driftedIn,
      psi: values.psi,
      psiLimit: values.psiLimit,
      missing: missing.shares,
      ...rest,
    },
    movement: Math.max(values.psi / values.psiLimit, missing.psi / missing.psiLimit),
  };
}

function missingOf(
  referencePresent: number,
  { missing: referenceMissing }: { readonly missing: number },
  currentPresent: number,
  { missing: currentMissing }: { readonly missing: number },
): Moved & { readonly shares: ColumnDrift['missing'] } {
  const drift = missingDrift(
    { present: referencePresent, missing: referenceMissing },
    { present: currentPresent, missing: currentMissing },
  );
  return {
    ...drift,
    shares: {
      reference: shareOf(referenceMissing, referencePresent + referenceMissing),
      current: shareOf(currentMissing, currentPresent + currentMissing),
    },
  };
}

function shareOf(part: number, all: number): number {
  return all === 0 ? 0 : part / all;
}

function asNumbers({ numbers, texts, truths, missing }: ColumnValues): Numbers {
  const extra: number[] = [];
  let unreadable = 0;
  for (const [text, rows] of texts) {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isNaN(value)) unreadable += rows;
    else for (let row = 0; row < rows; row += 1) extra.push(value);
  }
  const values = new Float64Array(numbers.length + extra.length + truths.true + truths.false);
  values.set(numbers);
  values.set(extra, numbers.length);
  values.fill(1, values.length - truths.true);
  return { values, missing: missing + unreadable };
}

function asLevels(kind: ColumnKind, { numbers, texts, truths, missing }: ColumnValues): Levels {
  const levels = new Map(texts);
  const add = (level: string, rows: number) => {
    if (rows > 0) levels.set(level, (levels.get(level) ?? 0) + rows);
  };
  for (const value of numbers) {
    if (kind === 'truth' && (value === 0 || value === 1)) add(String(value === 1), 1);
    else add(String(value), 1);
  }
  add('true', truths.true);
  add('false', truths.false);
  let rows = 0;
  for (const count of levels.values()) rows += count;
  return { levels, rows, missing };
}

function holdCodes(reference: Float64Array, current: Float64Array): boolean {
  const distinct = new Set<number>();
  for (const values of [reference, current]) {
    for (const value of values) {
      if (!Number.isInteger(value)) return false;
      distinct.add(value);
      if (distinct.size > mostDistinctCodes) return false;
    }
  }
  return true;
}

function countCodes({ values, missing }: Numbers): Levels {
  const levels = new Map<string, number>();
  for (const value of values) {
    const level = String(value);
    levels.set(level, (levels.get(level) ?? 0) + 1);
  }
  return { levels, rows: values.length, missing };
}

/**
 * Models take single-precision inputs, and clients may send them so, while the training data is in double precision.
 * The same 0.1 is then two different numbers, and a column with many ties would look drifted. So where one side holds
 * single-precision values only, the other is rounded to them. Gives copies.
 */
function inCommonPrecision(reference: Float64Array, current: Float64Array): [Float64Array, Float64Array] {
  const single = isSinglePrecision(reference) || isSinglePrecision(current);
  const convert = (values: Float64Array) => (single ? values.map(Math.fround) : values.slice());
  return [convert(reference), convert(current)];
}

function isSinglePrecision(values: Float64Array): boolean {
  return values.every((value) => Math.fround(value) === value);
}

function countInfinite(values: Float64Array): number {
  let count = 0;
  for (const value of values) if (!Number.isFinite(value)) count += 1;
  return count;
}
