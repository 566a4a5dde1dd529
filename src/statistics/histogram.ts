import { countUpTo } from './stabilityIndex.ts';

const mostBins = 30;
const fewestBins = 5;
/** How far beyond its 10th and 90th percentile, in units of their distance, a side's values are still drawn. */
const reach = 1.5;

export interface NumericHistogram {
  /** One more than there are bins, ascending and finite. */
  readonly edges: readonly number[];
  /** Shares of each side's rows, summing to 1, or all 0 for an empty side. */
  readonly reference: readonly number[];
  readonly current: readonly number[];
}

/**
 * Two samples as shares over shared bins of equal width, for drawing. Both are ascending, without NaN.
 *
 * Outliers do not stretch the axis: each side asks for the range from its 10th to its 90th percentile, widened by one
 * and a half times their distance on either side, but not beyond its own smallest and largest value; the bins cover
 * what either side asks for. (When these percentiles are one value, the 1st and 99th are taken, then the extremes.)
 * Values outside, infinities included, are counted in the first and the last bin. Whole numbers get bins of whole
 * width around them.
 */
export function numericHistogram(reference: Float64Array, current: Float64Array): NumericHistogram {
  const edges = histogramEdges(reference, current);
  return { edges, reference: shares(reference, edges), current: shares(current, edges) };
}

function histogramEdges(reference: Float64Array, current: Float64Array): number[] {
  const ranges = [finiteRange(reference), finiteRange(current)].filter((range) => range !== null);
  const low = Math.min(...ranges.map((range) => range.low));
  const high = Math.max(...ranges.map((range) => range.high));
  if (ranges.length === 0) return [0, 1];
  if (isWhole(reference) && isWhole(current)) return wholeEdges(low, high);
  if (low === high) return edgesAround(low);
  const rows = Math.min(...[reference.length, current.length].filter((length) => length > 0));
  const bins = Math.min(Math.max(Math.ceil(Math.sqrt(rows)), fewestBins), mostBins);
  // A weighted mean, as the distance of extreme doubles would overflow.
  const edges = Array.from({ length: bins + 1 }, (_, bin) =>
    bin === bins ? high : Math.min(low * (1 - bin / bins) + high * (bin / bins), high),
  );
  // Neighbouring doubles leave no room for all of them.
  return edges.filter((edge, index) => index === 0 || edge > (edges[index - 1] ?? edge));
}

/** Bins of one width, a whole number, with their values in the middle. */
function wholeEdges(low: number, high: number): number[] {
  const width = Math.ceil((high - low + 1) / mostBins);
  const bins = Math.ceil((high - low + 1) / width);
  return Array.from({ length: bins + 1 }, (_, bin) => low - 0.5 + bin * width);
}

function edgesAround(value: number): number[] {
  const half = Math.max(0.5, Math.abs(value) / 1000);
  return [Math.max(value - half, -Number.MAX_VALUE), Math.min(value + half, Number.MAX_VALUE)];
}

function finiteRange(sorted: Float64Array): { low: number; high: number } | null {
  const start = countUpTo(sorted, Number.NEGATIVE_INFINITY);
  const finite = sorted.subarray(start, countUpTo(sorted, Number.MAX_VALUE));
  if (finite.length === 0) return null;
  const smallest = quantile(finite, 0);
  const largest = quantile(finite, 1);
  for (const tail of [0.1, 0.01]) {
    const low = quantile(finite, tail);
    const high = quantile(finite, 1 - tail);
    const widening = reach * (high - low);
    if (widening > 0)
      return { low: Math.max(smallest, low - widening), high: Math.min(largest, high + widening) };
  }
  return { low: smallest, high: largest };
}

/** The value below or at which a share of the values lies; no interpolation. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? Number.NaN;
}

/** Larger whole numbers leave no room for an edge half way between two of them. */
const largestWhole = 2 ** 50;

function isWhole(values: Float64Array): boolean {
  return values.every(
    (value) => !Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) < largestWhole),
  );
}

function shares(sorted: Float64Array, edges: readonly number[]): number[] {
  const counts: number[] = [];
  let before = 0;
  for (const edge of edges.slice(1, -1)) {
    const upTo = countUpTo(sorted, edge);
    counts.push(upTo - before);
    before = upTo;
  }
  counts.push(sorted.length - before);
  return counts.map((count) => (sorted.length === 0 ? 0 : count / sorted.length));
}
