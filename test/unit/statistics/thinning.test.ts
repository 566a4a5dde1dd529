import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createThinning, smallestBudget, thin } from '../../../src/statistics/thinning.ts';

interface Point {
  readonly x: number;
  readonly y: number;
  readonly rank: number;
}

const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true });
const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
const budgets = fc.integer({ min: smallestBudget, max: 120 });

function curveOf(values: readonly number[]): readonly Point[] {
  return values.map((y, rank) => ({ x: rank * 2, y, rank }));
}

function curves(value: fc.Arbitrary<number>): fc.Arbitrary<readonly Point[]> {
  return fc.array(value, { minLength: 2, maxLength: 600, size: 'max' }).map(curveOf);
}

const mostlyFinite = curves(fc.oneof({ weight: 9, arbitrary: finite }, { weight: 1, arbitrary: odd }));

/** The extremes of each of the equal parts between the first and the last point, as places in the curve. */
function extremesOfParts(points: readonly Point[], parts: number): readonly number[] {
  const width = (points.length - 2) / parts;
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor(part * width) + 1;
    const to = part === parts - 1 ? points.length - 1 : Math.floor((part + 1) * width) + 1;
    return points.slice(from, to);
  }).flatMap((part) => {
    const ys = part.map(({ y }) => y);
    const lowest = part[ys.indexOf(Math.min(...ys))];
    const highest = part[ys.indexOf(Math.max(...ys))];
    return [lowest, highest].flatMap((point) => (point ? [point.rank] : []));
  });
}

describe('thinning a curve', () => {
  it('never keeps more than the budget, in order, each point once and as it was', () => {
    fc.assert(
      fc.property(mostlyFinite, budgets, (points, budget) => {
        const kept = thin(points, budget);
        assert.ok(kept.length <= budget, `${kept.length} of ${budget}`);
        assert.deepEqual(
          kept,
          [...new Set(kept)].toSorted((left, right) => left.rank - right.rank),
        );
        assert.ok(kept.every((point) => points[point.rank] === point));
      }),
    );
  });

  it('keeps a curve within the budget whole, so that thinning twice changes nothing', () => {
    fc.assert(
      fc.property(mostlyFinite, budgets, (points, budget) => {
        if (points.length <= budget) assert.deepEqual(thin(points, budget), points);
        const once = thin(points, budget);
        assert.deepEqual(thin(once, budget), once);
      }),
    );
  });

  it('keeps the first, the last, the lowest and the highest point', () => {
    fc.assert(
      fc.property(mostlyFinite, budgets, (points, budget) => {
        const kept = thin(points, budget);
        assert.equal(kept[0], points[0]);
        assert.equal(kept.at(-1), points.at(-1));
        const ys = (all: readonly Point[]) => all.map(({ y }) => y).filter(Number.isFinite);
        assert.equal(Math.min(...ys(kept)), Math.min(...ys(points)));
        assert.equal(Math.max(...ys(kept)), Math.max(...ys(points)));
      }),
    );
  });

  it('keeps the lowest and the highest point of each part', () => {
    fc.assert(
      fc.property(curves(finite), budgets, (points, budget) => {
        if (points.length <= budget) return;
        const kept = new Set(thin(points, budget).map(({ rank }) => rank));
        for (const rank of extremesOfParts(points, Math.floor((budget - 8) / 4))) {
          assert.ok(kept.has(rank), `point ${rank} of ${points.length}`);
        }
      }),
    );
  });

  it('keeps points that are not finite: all where they are few, else some of each kind', () => {
    fc.assert(
      fc.property(mostlyFinite, budgets, (points, budget) => {
        const notFinite = (all: readonly Point[]) => all.filter(({ y }) => !Number.isFinite(y));
        const kept = notFinite(thin(points, budget));
        const all = notFinite(points);
        if (all.length <= Math.floor((budget - 8) / 4)) assert.deepEqual(kept, all);
        const kinds = (some: readonly Point[]) => new Set(some.map(({ y }) => String(y)));
        assert.deepEqual(kinds(kept), kinds(all));
      }),
    );
  });

  it('stays within the budget although more or fewer points come than were announced', () => {
    fc.assert(
      fc.property(mostlyFinite, budgets, fc.integer({ min: 0, max: 900 }), (points, budget, announced) => {
        const thinning = createThinning<Point>(announced, budget);
        for (const point of points) thinning.add(point);
        const kept = thinning.finish();
        assert.ok(kept.length <= budget);
        assert.equal(kept[0], points[0]);
        assert.equal(kept.at(-1), points.at(-1));
      }),
    );
  });

  it('copes with values at the end of the range of doubles', () => {
    const points = curveOf(Array.from({ length: 500 }, (_, rank) => (rank % 2 ? 1 : -1) * Number.MAX_VALUE));
    assert.ok(thin(points, 40).length <= 40);
  });

  it('takes a single point, and none', () => {
    assert.deepEqual(thin(curveOf([1]), smallestBudget), curveOf([1]));
    assert.deepEqual(thin([], smallestBudget), []);
    assert.deepEqual(createThinning(1000, smallestBudget).finish(), []);
  });
});
