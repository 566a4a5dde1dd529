import type { RolloutSample } from '../protocol/worker.ts';
import { momentsOf } from '../statistics/moments.ts';

/** What a version answered, and what turned out to be true: one element a row. */
export interface Labelled {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly truth: readonly unknown[];
}

interface Pair {
  readonly predicted: string | number;
  readonly actual: string | number;
}

/**
 * How good the predictions of two versions were. The prediction of a request is its first output that has one value a row.
 * Where all labels and predictions are texts, truths or whole numbers, an answer is right or wrong; else it counts how
 * far it was off. A label of another length than its answer, and rows without a label, do not count.
 *
 * @returns null when neither version has a label.
 */
export function qualityOf(
  candidate: readonly Labelled[],
  stable: readonly Labelled[],
): RolloutSample['quality'] {
  const ours = candidate.flatMap(pairsOf);
  const theirs = stable.flatMap(pairsOf);
  const all = [...ours, ...theirs];
  if (all.length === 0) return null;
  const areLabels = all.every(({ predicted, actual }) => isLabel(predicted) && isLabel(actual));
  const value = areLabels
    ? ({ predicted, actual }: Pair) => (String(predicted) === String(actual) ? 1 : 0)
    : ({ predicted, actual }: Pair) => Math.abs(Number(predicted) - Number(actual));
  const moments = (pairs: readonly Pair[]) => momentsOf(pairs.map(value).filter(Number.isFinite));
  return {
    measure: areLabels ? 'accuracy' : 'absoluteError',
    candidate: moments(ours),
    stable: moments(theirs),
  };
}

function pairsOf({ outputs, truth }: Labelled): readonly Pair[] {
  for (const values of Object.values(outputs)) {
    if (!Array.isArray(values) || values.length !== truth.length) continue;
    const predicted = values.map(scalarOf);
    if (predicted.some((value) => value === null)) continue;
    return predicted.flatMap((value, row) => {
      const actual = scalarOf(truth[row]);
      return value === null || actual === null ? [] : [{ predicted: value, actual }];
    });
  }
  return [];
}

/** A number or text; of an array with one element, that. Truths are texts, as label and as prediction. */
function scalarOf(value: unknown): string | number | null {
  if (typeof value === 'number' || typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) && value.length === 1 ? scalarOf(value[0]) : null;
}

function isLabel(value: string | number): boolean {
  return typeof value === 'string' || Number.isInteger(value);
}
