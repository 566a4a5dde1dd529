/** One curve: `xs` ascending, `ys` of the same length. */
export interface Curve {
  readonly xs: Float64Array;
  readonly ys: Float64Array;
}

/** A point that cannot be drawn at its height. */
export interface UndrawablePoint {
  readonly x: number;
  readonly kind: 'nan' | 'above' | 'below';
}

export interface DrawablePoint {
  readonly x: number;
  /** NaN breaks the line: a gap. */
  readonly y: number;
}

export interface DecimatedCurve {
  readonly points: readonly DrawablePoint[];
  /** At most one of each kind in each bucket. */
  readonly undrawable: readonly UndrawablePoint[];
  /** How many points of the window cannot be drawn. */
  readonly undrawableCount: number;
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

/**
 * Thins a curve so that it draws the same picture: in each bucket of the x axis the first, lowest, highest and last
 * point stay. Points that cannot be drawn (NaN, infinite, on a logarithmic axis also zero and below) become gaps.
 *
 * @param buckets how many columns the picture has; a curve with fewer points than four a bucket is kept whole
 */
export function decimate(curve: Curve, window: Window, buckets: number, logarithmic = false): DecimatedCurve {
  const first = Math.max(0, lowerBound(curve.xs, window.from) - 1);
  const last = Math.min(curve.xs.length - 1, lowerBound(curve.xs, window.to) + 1);
  const points: DrawablePoint[] = [];
  const undrawable: UndrawablePoint[] = [];
  let undrawableCount = 0;
  const thin = last - first + 1 > buckets * 4;
  const span = window.to - window.from;
  let bucket = emptyBucket(Number.NaN);

  function flush(): void {
    const chosen = [...new Set([bucket.first, bucket.lowest, bucket.highest, bucket.last])]
      .filter((index) => index >= 0)
      .sort((left, right) => left - right);
    for (const index of chosen) points.push(pointAt(curve, index));
  }

  for (let index = first; index <= last; index += 1) {
    const x = curve.xs[index] ?? Number.NaN;
    const y = curve.ys[index] ?? Number.NaN;
    const column = thin && span > 0 ? Math.floor(((x - window.from) / span) * buckets) : index;
    if (column !== bucket.column) {
      flush();
      bucket = emptyBucket(column);
    }
    const kind = undrawableKind(y, logarithmic);
    if (kind) {
      undrawableCount += 1;
      if (!bucket.marked.has(kind)) {
        bucket.marked.add(kind);
        undrawable.push({ x, kind });
      }
      flush();
      bucket = { ...emptyBucket(column), marked: bucket.marked };
      const previous = points.at(-1);
      if (previous && !Number.isNaN(previous.y)) points.push({ x, y: Number.NaN });
      continue;
    }
    if (bucket.first < 0) bucket.first = index;
    if (bucket.lowest < 0 || y < (curve.ys[bucket.lowest] ?? y)) bucket.lowest = index;
    if (bucket.highest < 0 || y > (curve.ys[bucket.highest] ?? y)) bucket.highest = index;
    bucket.last = index;
  }
  flush();
  return { points, undrawable, undrawableCount };
}

/** Why a value has no place on the axis; null when it has one. */
export function undrawableKind(y: number, logarithmic: boolean): UndrawablePoint['kind'] | null {
  if (Number.isNaN(y)) return 'nan';
  if (y === Number.POSITIVE_INFINITY) return 'above';
  if (y === Number.NEGATIVE_INFINITY || (logarithmic && y <= 0)) return 'below';
  return null;
}

interface Bucket {
  readonly column: number;
  readonly marked: Set<UndrawablePoint['kind']>;
  first: number;
  lowest: number;
  highest: number;
  last: number;
}

function emptyBucket(column: number): Bucket {
  return { column, marked: new Set(), first: -1, lowest: -1, highest: -1, last: -1 };
}

function pointAt(curve: Curve, index: number): DrawablePoint {
  return { x: curve.xs[index] ?? Number.NaN, y: curve.ys[index] ?? Number.NaN };
}

/** The first index whose value is not below `value`. */
function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Number.NaN) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
