import type { RolloutSample } from '../protocol/worker.ts';
import { type LevelCounts, sumOf } from '../statistics/categories.ts';
import { categoricalDrift, numericDrift } from '../statistics/drift.ts';

/** A tensor with more elements a row than this is not taken apart. */
const widestOutput = 100;

/** One value of each row of an output, or of one element of its rows. */
interface OutputColumn {
  readonly numbers: number[];
  readonly labels: Map<string, number>;
}

/**
 * Compares the distributions of what two versions predicted, output by output, and gives the one that differs most.
 * Whole numbers, texts and truths are labels unless they take many values; an output with several elements a row, such
 * as probabilities, is compared element by element.
 *
 * @param candidate outputs by name, as the inference log has them, of each request.
 */
export function largestDrift(
  candidate: readonly Readonly<Record<string, unknown>>[],
  stable: readonly Readonly<Record<string, unknown>>[],
): RolloutSample['drift'] {
  const ours = columnsOf(candidate);
  const theirs = columnsOf(stable);
  let largest: RolloutSample['drift'] = null;
  for (const [output, column] of ours) {
    const other = theirs.get(output);
    if (other === undefined) continue;
    const drift = driftOf(output, column, other);
    if (drift !== null && (largest === null || drift.psi > largest.psi)) largest = drift;
  }
  return largest;
}

/** Whole numbers with more values than this are amounts, not labels. */
const mostLabels = 50;

function driftOf(output: string, candidate: OutputColumn, stable: OutputColumn): RolloutSample['drift'] {
  const [candidateRows, stableRows] = [candidate, stable].map(
    ({ numbers, labels }) => numbers.length + sumOf(labels),
  );
  if (!candidateRows || !stableRows) return null;
  const areNumbers = candidate.labels.size + stable.labels.size === 0;
  if (areNumbers && !areLabels([...candidate.numbers, ...stable.numbers])) {
    const { psi, pValue } = numericDrift(sorted(stable.numbers), sorted(candidate.numbers));
    return { output, psi, pValue, candidateRows, stableRows };
  }
  const { psi, pValue } = categoricalDrift(levelsOf(stable), levelsOf(candidate));
  return { output, psi, pValue, candidateRows, stableRows };
}

function columnsOf(
  requests: readonly Readonly<Record<string, unknown>>[],
): ReadonlyMap<string, OutputColumn> {
  const columns = new Map<string, OutputColumn>();
  const add = (name: string, value: unknown) => {
    let column = columns.get(name);
    if (column === undefined) {
      column = { numbers: [], labels: new Map() };
      columns.set(name, column);
    }
    if (typeof value === 'number') column.numbers.push(value);
    else if (typeof value === 'string' || typeof value === 'boolean') {
      const label = String(value);
      column.labels.set(label, (column.labels.get(label) ?? 0) + 1);
    }
  };
  for (const outputs of requests) {
    for (const [name, values] of Object.entries(outputs)) {
      if (!Array.isArray(values)) continue;
      for (const value of values) {
        if (!Array.isArray(value)) add(name, value);
        else addElements(name, value.flat(Number.POSITIVE_INFINITY), add);
      }
    }
  }
  return columns;
}

function addElements(
  name: string,
  elements: readonly unknown[],
  add: (name: string, value: unknown) => void,
) {
  if (elements.length > widestOutput) return;
  for (const [place, element] of elements.entries()) {
    add(elements.length === 1 ? name : `${name}[${place}]`, element);
  }
}

function areLabels(numbers: readonly number[]): boolean {
  return numbers.every(Number.isInteger) && new Set(numbers).size <= mostLabels;
}

function levelsOf({ numbers, labels }: OutputColumn): LevelCounts {
  const levels = new Map(labels);
  for (const number of numbers) levels.set(String(number), (levels.get(String(number)) ?? 0) + 1);
  return levels;
}

function sorted(numbers: readonly number[]): Float64Array {
  return Float64Array.from(numbers).sort();
}
