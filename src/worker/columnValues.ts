/** What a column holds on one side, before it is known as what it will be compared. */
export interface ColumnValues {
  /** In no order, without NaN. */
  readonly numbers: Float64Array;
  /** Rows by text, without the empty one. */
  readonly texts: ReadonlyMap<string, number>;
  readonly truths: { readonly true: number; readonly false: number };
  /** Rows that are null, empty or NaN. */
  readonly missing: number;
}

/** Gathers a column's values one after another. */
export interface ColumnCollector {
  addNumber(value: number): void;
  addText(value: string, rows?: number): void;
  addTruth(value: boolean, rows?: number): void;
  addMissing(rows?: number): void;
  /** Rows so far, missing ones included. */
  rows(): number;
  /** What was gathered; the numbers share memory with the collector. */
  values(): ColumnValues;
}

export function createColumnCollector(): ColumnCollector {
  let numbers = new Float64Array(64);
  let numberCount = 0;
  let otherRows = 0;
  let missing = 0;
  const texts = new Map<string, number>();
  const truths = { true: 0, false: 0 };
  const collector: ColumnCollector = {
    addNumber(value) {
      if (Number.isNaN(value)) {
        collector.addMissing();
        return;
      }
      if (numberCount === numbers.length) {
        const larger = new Float64Array(numbers.length * 2);
        larger.set(numbers);
        numbers = larger;
      }
      numbers[numberCount] = value;
      numberCount += 1;
    },
    addText(value, rows = 1) {
      if (value === '') {
        collector.addMissing(rows);
        return;
      }
      texts.set(value, (texts.get(value) ?? 0) + rows);
      otherRows += rows;
    },
    addTruth(value, rows = 1) {
      truths[value ? 'true' : 'false'] += rows;
      otherRows += rows;
    },
    addMissing(rows = 1) {
      missing += rows;
    },
    rows: () => numberCount + otherRows + missing,
    values: () => ({ numbers: numbers.subarray(0, numberCount), texts, truths, missing }),
  };
  return collector;
}
