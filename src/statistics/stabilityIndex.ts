import { chiSquareQuantile, total } from './chiSquare.ts';

/** The customary bound: below it a population counts as stable, whatever the sample size. */
export const customaryLimit = 0.1;

/** An index as high as the limit comes about by chance, without drift, with about this probability. */
const chanceLevel = 0.05;

export interface StabilityIndex {
  readonly psi: number;
  /** What `psi` must reach to count as drift; never below 0.1. */
  readonly limit: number;
}

/**
 * The population stability index Σ (p − q) ln(p / q) over bins, p and q being the shares of reference and current
 * rows, given as counts in the same order, and the limit that fits these sample sizes.
 *
 * A bin that only one side has would make it infinite: there the other side counts half a row, or the share of the
 * first if that is less, so that a bin in which no row was to be expected adds nothing. Where every bin holds rows of
 * both sides, this is the plain formula. Symmetric in both sides. An empty side gives 0.
 */
export function populationStabilityIndex(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
): StabilityIndex {
  const referenceRows = total(reference);
  const currentRows = total(current);
  if (referenceRows === 0 || currentRows === 0) return { psi: 0, limit: customaryLimit };
  let psi = 0;
  let bins = 0;
  for (let bin = 0; bin < reference.length; bin += 1) {
    let p = (reference[bin] ?? 0) / referenceRows;
    let q = (current[bin] ?? 0) / currentRows;
    if (p === 0 && q === 0) continue;
    bins += 1;
    if (p === 0) p = Math.min(0.5 / referenceRows, q);
    if (q === 0) q = Math.min(0.5 / currentRows, p);
    psi += (p - q) * Math.log(p / q);
  }
  return { psi, limit: stabilityLimit(bins, referenceRows, currentRows) };
}

/**
 * What the index must reach to count as drift: the customary 0.1 or, in small samples, what it exceeds by chance in
 * one of twenty comparisons of the same population with itself. There PSI / (1/n + 1/m) is about chi-square
 * distributed with one degree of freedom fewer than there are bins.
 */
export function stabilityLimit(bins: number, referenceRows: number, currentRows: number): number {
  if (bins < 2) return customaryLimit;
  const chance = chiSquareQuantile(chanceLevel, bins - 1) * (1 / referenceRows + 1 / currentRows);
  return Math.max(customaryLimit, chance);
}

const mostBins = 10;
const fewestBins = 2;
/** Fewer rows in a bin than this, and the index is no longer about chi-square distributed. */
const rowsPerBin = 5;

/** Deciles where the smaller side fills them with five rows each, else fewer bins, but at least two. */
export function quantileBinCount(referenceRows: number, currentRows: number): number {
  const filled = Math.floor(Math.min(referenceRows, currentRows) / rowsPerBin);
  return Math.min(Math.max(filled, fewestBins), mostBins);
}

/**
 * Upper edges of bins that each hold about one `binCount`-th of the reference, ascending and distinct; beyond the
 * last edge comes one more bin. A bin holds the values above the edge before it up to and including its own edge.
 *
 * A value so frequent that it fills a bin by itself gets one (there is an edge just below it and one at it), so that
 * values on either side of a constant reference are told apart. `sortedReference` is ascending, without NaN.
 */
export function quantileEdges(sortedReference: Float64Array, binCount: number): Float64Array {
  const rows = sortedReference.length;
  const edges: number[] = [];
  const add = (edge: number) => {
    if (edges.length === 0 || edge > (edges.at(-1) ?? 0)) edges.push(edge);
  };
  for (let bin = 1; bin < binCount && rows > 0; bin += 1) {
    const edge = sortedReference[Math.ceil((bin * rows) / binCount) - 1] ?? 0;
    const ties = countUpTo(sortedReference, edge) - countUpTo(sortedReference, justBelow(edge));
    if (ties * binCount >= rows) add(justBelow(edge));
    add(edge);
  }
  return Float64Array.from(edges);
}

/** Rows in each bin of `edges` (see `quantileEdges`): one count more than there are edges. */
export function countBetweenEdges(sorted: Float64Array, edges: Float64Array): Float64Array {
  const counts = new Float64Array(edges.length + 1);
  let before = 0;
  edges.forEach((edge, bin) => {
    const upTo = countUpTo(sorted, edge);
    counts[bin] = upTo - before;
    before = upTo;
  });
  counts[edges.length] = sorted.length - before;
  return counts;
}

/** How many values of an ascending array are not above `limit`. */
export function countUpTo(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

const doubleBits = new DataView(new ArrayBuffer(8));

/** The largest double below `value`. */
export function justBelow(value: number): number {
  if (value === Number.NEGATIVE_INFINITY) return value;
  if (value === 0) return -Number.MIN_VALUE;
  doubleBits.setFloat64(0, value);
  const bits = doubleBits.getBigInt64(0);
  doubleBits.setBigInt64(0, value > 0 ? bits - 1n : bits + 1n);
  return doubleBits.getFloat64(0);
}
