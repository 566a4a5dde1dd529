import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decimate, undrawableKind } from '../../../src/webview/components/decimation.ts';

const anyValue = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);

function curveOf(values: readonly number[]) {
  return { xs: Float64Array.from(values, (_, index) => index), ys: Float64Array.from(values) };
}

describe('decimation of a curve', () => {
  it('keeps a short curve whole', () => {
    const { points, undrawableCount } = decimate(curveOf([3, 1, 2]), { from: 0, to: 2 }, 100);
    assert.deepEqual(points, [
      { x: 0, y: 3 },
      { x: 1, y: 1 },
      { x: 2, y: 2 },
    ]);
    assert.equal(undrawableCount, 0);
  });

  it('keeps the ends and the extremes of a long one, with at most four points and a gap in each column', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 50 }), (values) => {
        const { points } = decimate(curveOf(values), { from: 0, to: values.length - 1 }, 10);
        const heights = points.map(({ y }) => y);
        assert.equal(Math.max(...heights), Math.max(...values));
        assert.equal(Math.min(...heights), Math.min(...values));
        assert.equal(heights[0], values[0]);
        assert.equal(heights.at(-1), values.at(-1));
        assert.ok(points.length <= Math.max(40 + 4, 10 * 4));
      }),
    );
  });

  it('only draws points of the curve, in order, and counts every one that it cannot draw', () => {
    fc.assert(
      fc.property(
        fc.array(anyValue, { minLength: 1, maxLength: 300 }),
        fc.boolean(),
        (values, logarithmic) => {
          const drawn = decimate(curveOf(values), { from: 0, to: values.length - 1 }, 8, logarithmic);
          let before = -1;
          for (const { x, y } of drawn.points) {
            assert.ok(x >= before);
            before = x;
            if (!Number.isNaN(y)) assert.equal(y, values[x]);
          }
          const impossible = values.filter((value) => undrawableKind(value, logarithmic) !== null);
          assert.equal(drawn.undrawableCount, impossible.length);
          assert.equal(drawn.undrawable.length > 0, impossible.length > 0);
        },
      ),
    );
  });

  it('breaks the line where a value has no height, and marks it by its kind', () => {
    const { points, undrawable } = decimate(
      curveOf([1, Number.NaN, 2, Number.POSITIVE_INFINITY, 3, Number.NEGATIVE_INFINITY]),
      { from: 0, to: 5 },
      100,
    );
    assert.deepEqual(
      points.map(({ y }) => y),
      [1, Number.NaN, 2, Number.NaN, 3, Number.NaN],
    );
    assert.deepEqual(undrawable, [
      { x: 1, kind: 'nan' },
      { x: 3, kind: 'above' },
      { x: 5, kind: 'below' },
    ]);
  });

  it('has no place for zero and below on a logarithmic axis', () => {
    const { undrawable } = decimate(curveOf([1, 0, -1]), { from: 0, to: 2 }, 100, true);
    assert.deepEqual(
      undrawable.map(({ x }) => x),
      [1, 2],
    );
  });

  it('keeps one point beyond each end of the window, so that the line leaves it', () => {
    const { points } = decimate(curveOf([0, 1, 2, 3, 4, 5]), { from: 2, to: 3 }, 100);
    assert.deepEqual(
      points.map(({ x }) => x),
      [1, 2, 3, 4],
    );
  });
});
