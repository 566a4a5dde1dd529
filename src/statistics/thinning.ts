/** A point of a curve. What else it carries stays with it. */
export interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

/** Thins a curve while it is read, point by point, in the order of x. */
export interface Thinning<Point extends CurvePoint> {
  add(point: Point): void;
  /** The points that stay, in the order in which they came; never more than the budget. */
  finish(): readonly Point[];
}

/** Apart from those of the buckets: the first and the last point, and the first and the last of each non-finite kind. */
const pointsAtTheEnds = 8;
const pointsPerBucket = 4;

/** The smallest budget that leaves room for a bucket. */
export const smallestBudget = pointsAtTheEnds + pointsPerBucket;

/**
 * Thins a curve of about `count` points to at most `budget` points, so that it draws the same picture. It holds no more
 * points at a time than the budget and two buckets have.
 *
 * A curve within the budget stays whole. Of a longer one the first and the last point stay, and of each of its buckets
 * (of equal numbers of points) the lowest, the highest, and the one that makes the largest triangle with the one chosen
 * before and the mean of the next bucket: largest-triangle-three-buckets (Steinarsson, "Downsampling Time Series for Visual
 * Representation", 2013), whose choice is a part of this one. NaN and infinities take no part in that; all of them stay
 * where there are no more than buckets, else the first of each bucket, and the first and the last of each kind.
 *
 * @param budget at least `smallestBudget`
 */
export function createThinning<Point extends CurvePoint>(count: number, budget: number): Thinning<Point> {
  const buckets = Math.floor((budget - pointsAtTheEnds) / pointsPerBucket);
  return count <= budget ? keepAll(budget) : thinByBuckets(count, buckets);
}

/** Thins a curve that is at hand. */
export function thin<Point extends CurvePoint>(points: readonly Point[], budget: number): readonly Point[] {
  const thinning = createThinning<Point>(points.length, budget);
  for (const point of points) thinning.add(point);
  return thinning.finish();
}

function keepAll<Point extends CurvePoint>(budget: number): Thinning<Point> {
  const points: Point[] = [];
  return {
    add: (point) => void points.push(point),
    finish: () => (points.length > budget ? thin(points, budget) : points),
  };
}

/** A point that stays, and its place in the curve. */
interface Placed<Point> {
  readonly rank: number;
  readonly point: Point;
}

/** Points side by side, without an object for each: a long curve has millions. */
interface Bucket<Point> {
  readonly points: readonly Point[];
  readonly ranks: readonly number[];
}

function thinByBuckets<Point extends CurvePoint>(count: number, buckets: number): Thinning<Point> {
  const width = (count - 2) / buckets;
  const endOf = (bucket: number) =>
    bucket === buckets - 1 ? Number.POSITIVE_INFINITY : Math.floor((bucket + 1) * width) + 1;

  const corners = createCorners<Point>();
  const marks = createMarks<Point>(buckets);
  const kept: Placed<Point>[] = [];
  let rank = 0;
  let bucket = 0;
  let end = endOf(bucket);
  let points: Point[] = [];
  let ranks: number[] = [];
  let last: Point | null = null;

  const finishBucket = () => {
    if (points.length === 0) return;
    kept.push(...extremes({ points, ranks }));
    corners.addBucket({ points, ranks });
    points = [];
    ranks = [];
  };
  /** Puts a point into its bucket. */
  const place = (point: Point, at: number) => {
    while (at >= end) {
      finishBucket();
      bucket += 1;
      end = endOf(bucket);
    }
    if (!Number.isFinite(point.y)) {
      marks.add({ rank: at, point }, bucket);
      return;
    }
    points.push(point);
    ranks.push(at);
  };
  /** The first and the last point are in no bucket. */
  const keepEnd = (point: Point, at: number) => {
    kept.push({ rank: at, point });
    if (Number.isFinite(point.y)) corners.addBucket({ points: [point], ranks: [at] });
    else marks.add({ rank: at, point }, null);
  };

  return {
    add(point) {
      if (rank === 0) keepEnd(point, 0);
      else if (rank > 1 && last) place(last, rank - 1);
      last = point;
      rank += 1;
    },
    finish() {
      finishBucket();
      if (last && rank > 1) keepEnd(last, rank - 1);
      return inOrder([...kept, ...corners.finish(), ...marks.finish()]);
    },
  };
}

/** Chooses the corners of the curve: a bucket's as soon as the next bucket is known. */
function createCorners<Point extends CurvePoint>() {
  const chosen: Placed<Point>[] = [];
  let waiting: Bucket<Point> | null = null;
  return {
    /** @param bucket of finite points, at least one */
    addBucket(bucket: Bucket<Point>): void {
      if (waiting) chosen.push(...farthest(waiting, chosen.at(-1)?.point ?? null, meanOf(bucket.points)));
      waiting = bucket;
    },
    finish: (): readonly Placed<Point>[] => chosen,
  };
}

/** The point that makes the largest triangle with two others: the first of several, or of all when one is missing. */
function farthest<Point extends CurvePoint>(
  { points, ranks }: Bucket<Point>,
  before: CurvePoint | null,
  next: CurvePoint,
): readonly Placed<Point>[] {
  let found = 0;
  if (before) {
    const deltaX = before.x - next.x;
    const deltaY = next.y - before.y;
    let largest = Number.NEGATIVE_INFINITY;
    for (const [index, { x, y }] of points.entries()) {
      const area = Math.abs(deltaX * (y - before.y) - (before.x - x) * deltaY);
      if (area <= largest || Number.isNaN(area)) continue;
      largest = area;
      found = index;
    }
  }
  return placedAt(points, ranks, found);
}

function meanOf(points: readonly CurvePoint[]): CurvePoint {
  let sumX = 0;
  let sumY = 0;
  for (const { x, y } of points) {
    sumX += x;
    sumY += y;
  }
  return { x: sumX / points.length, y: sumY / points.length };
}

/** The lowest and the highest point, of several the first. */
function extremes<Point extends CurvePoint>({ points, ranks }: Bucket<Point>): readonly Placed<Point>[] {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [lowestAt, highestAt] = [0, 0];
  for (const [index, { y }] of points.entries()) {
    if (y < lowest) {
      lowest = y;
      lowestAt = index;
    }
    if (y > highest) {
      highest = y;
      highestAt = index;
    }
  }
  return [...placedAt(points, ranks, lowestAt), ...placedAt(points, ranks, highestAt)];
}

function placedAt<Point>(
  points: readonly Point[],
  ranks: readonly number[],
  index: number,
): readonly Placed<Point>[] {
  const [point, rank] = [points[index], ranks[index]];
  return point === undefined || rank === undefined ? [] : [{ rank, point }];
}

/** Keeps all that it is given as long as those are no more than `limit`, else the first of each bucket; and the ends. */
function createMarks<Point extends CurvePoint>(limit: number) {
  const all: Placed<Point>[] = [];
  const ofBuckets: Placed<Point>[] = [];
  const firsts = new Map<number, Placed<Point>>();
  const lasts = new Map<number, Placed<Point>>();
  let count = 0;
  let marked: number | null = null;
  return {
    /** @param bucket null for an end of the curve, which stays anyway */
    add(placed: Placed<Point>, bucket: number | null): void {
      const kind = placed.point.y;
      if (!firsts.has(kind)) firsts.set(kind, placed);
      lasts.set(kind, placed);
      count += 1;
      if (count <= limit) all.push(placed);
      if (bucket === null || bucket === marked) return;
      marked = bucket;
      ofBuckets.push(placed);
    },
    finish: (): readonly Placed<Point>[] =>
      count <= limit ? all : [...ofBuckets, ...firsts.values(), ...lasts.values()],
  };
}

function inOrder<Point>(placed: readonly Placed<Point>[]): readonly Point[] {
  const byRank = new Map(placed.map(({ rank, point }) => [rank, point]));
  return [...byRank].sort(([left], [right]) => left - right).map(([, point]) => point);
}
