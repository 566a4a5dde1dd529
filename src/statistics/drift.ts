import {
  type CategoricalHistogram,
  categoricalHistogram,
  expectedRows,
  type GroupCounts,
  groupLevels,
  type LevelCounts,
  sumOf,
} from './categories.ts';
import { chiSquareContingency } from './chiSquare.ts';
import { type NumericHistogram, numericHistogram } from './histogram.ts';
import { hypergeometricUpperTail } from './hypergeometric.ts';
import { kolmogorovSmirnov } from './kolmogorovSmirnov.ts';
import {
  countBetweenEdges,
  populationStabilityIndex,
  quantileBinCount,
  quantileEdges,
  type StabilityIndex,
} from './stabilityIndex.ts';

/** p-values up to this are significant. Stricter than the usual 0.05, as many columns are looked at together. */
export const significance = 0.01;

/** How far one distribution moved from another, and whether that counts as drift. */
export interface DriftMeasure {
  readonly psi: number;
  readonly psiLimit: number;
  readonly statistic: number;
  readonly pValue: number;
  /**
   * True when the index reaches its limit and the test is significant. Either alone misleads: the test calls the
   * least difference drift in large samples, the index any noise in small ones. Together they ask for a difference
   * that is both large enough to matter and too large for chance. A population compared with itself is called
   * drifted in about one of a hundred columns when the window has few rows, and hardly ever from a few hundred on.
   */
  readonly drifted: boolean;
}

/**
 * Numbers: Kolmogorov-Smirnov, and PSI over quantile bins of the reference. Bins of equal width would be blind as soon
 * as one outlier stretches them. Both samples are ascending, without NaN.
 */
export function numericDrift(
  sortedReference: Float64Array,
  sortedCurrent: Float64Array,
): DriftMeasure & { readonly histogram: NumericHistogram } {
  const { statistic, pValue } = kolmogorovSmirnov(sortedReference, sortedCurrent);
  const edges = quantileEdges(
    sortedReference,
    quantileBinCount(sortedReference.length, sortedCurrent.length),
  );
  const index = populationStabilityIndex(
    countBetweenEdges(sortedReference, edges),
    countBetweenEdges(sortedCurrent, edges),
  );
  return {
    ...measure(index, statistic, pValue),
    histogram: numericHistogram(sortedReference, sortedCurrent),
  };
}

/**
 * Categories: chi-square of the contingency table, and PSI, both over the groups of `groupLevels`.
 *
 * Levels too rare for chi-square, such as new ones, are joined to the last group there and tested by themselves: how
 * likely so many of their rows fall to the smaller side, exactly. The smaller of both p-values counts, doubled. They
 * have a share in PSI of their own once the smaller side has five such rows: one new level in one row is no drift.
 */
export function categoricalDrift(
  reference: LevelCounts,
  current: LevelCounts,
): DriftMeasure & { readonly histogram: CategoricalHistogram } {
  return { ...levelsDrift(reference, current), histogram: categoricalHistogram(reference, current) };
}

/** Whether the share of missing values moved; given as numbers of rows. The same test as for categories. */
export function missingDrift(
  reference: { readonly missing: number; readonly present: number },
  current: { readonly missing: number; readonly present: number },
): DriftMeasure {
  return levelsDrift(new Map(Object.entries(reference)), new Map(Object.entries(current)));
}

function levelsDrift(reference: LevelCounts, current: LevelCounts): DriftMeasure {
  const { groups, sparse } = groupLevels(reference, current);
  if (sparse === null) return groupsDrift(groups, groups, 1);
  const joined = joinToLast(groups, sparse);
  const referenceRows = sumOf(reference);
  const currentRows = sumOf(current);
  const [smaller, smallerRows] =
    referenceRows < currentRows ? [sparse.reference, referenceRows] : [sparse.current, currentRows];
  const chance = hypergeometricUpperTail(
    smaller,
    smallerRows,
    sparse.reference + sparse.current,
    referenceRows + currentRows,
  );
  return groupsDrift(joined, smaller >= expectedRows ? [...groups, sparse] : joined, chance);
}

function joinToLast(groups: readonly GroupCounts[], sparse: GroupCounts): readonly GroupCounts[] {
  const last = groups.at(-1);
  if (last === undefined) return [sparse];
  const joined = { reference: last.reference + sparse.reference, current: last.current + sparse.current };
  return [...groups.slice(0, -1), joined];
}

function groupsDrift(
  tested: readonly GroupCounts[],
  indexed: readonly GroupCounts[],
  sparseChance: number,
): DriftMeasure {
  const { statistic, pValue } = chiSquareContingency(
    tested.map((group) => group.reference),
    tested.map((group) => group.current),
  );
  const index = populationStabilityIndex(
    indexed.map((group) => group.reference),
    indexed.map((group) => group.current),
  );
  const combined = sparseChance < 1 ? Math.min(1, 2 * Math.min(pValue, sparseChance)) : pValue;
  return measure(index, statistic, combined);
}

function measure(index: StabilityIndex, statistic: number, pValue: number): DriftMeasure {
  return {
    psi: index.psi,
    psiLimit: index.limit,
    statistic,
    pValue,
    drifted: index.psi >= index.limit && pValue <= significance,
  };
}
