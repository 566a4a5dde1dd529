import assert from 'node:assert/strict';
import fc from 'fast-check';
import { shortestFloat } from '../../src/protocol/shortestFloat.ts';

const digitsOf = (value: number) => value.toExponential().replace(/e.*|[.-]/g, '').length;

describe('The shortest form of an FP32 value', () => {
  it('is the decimal that was written', () => {
    for (const value of [8.6, 0.1, -14.6, 302, 0, 1e-7, 3.4e38, 1e10, 16777216, 123456.7, 0.00012, 1.5e-45]) {
      const held = Math.fround(value);
      assert.equal(String(shortestFloat(held)), String(value === 1.5e-45 ? 1e-45 : value));
    }
    assert.ok(Object.is(shortestFloat(-0), -0));
    for (const special of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      assert.ok(Object.is(shortestFloat(special), special));
    }
  });

  it('is the same FP32 value, with no digit too many', () => {
    const check = (value: number) => {
      const shortest = shortestFloat(value);
      assert.ok(Object.is(Math.fround(shortest), value), `${value} became ${shortest}`);
      if (Number.isInteger(value)) return;
      assert.ok(digitsOf(shortest) <= 9, `${value} became ${shortest}`);
      const shorter = Number(value.toPrecision(Math.max(1, digitsOf(shortest) - 1)));
      assert.ok(Object.is(shorter, shortest) || Math.fround(shorter) !== value, `${shorter} would do`);
    };
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), check));
    fc.assert(fc.property(fc.float({ min: Math.fround(-1e5), max: Math.fround(1e5), noNaN: true }), check));
  });
});
