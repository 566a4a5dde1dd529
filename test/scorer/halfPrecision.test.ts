import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fromHalfBits, toHalfBits } from '../../src/protocol/halfPrecision.ts';

/** The language's own 16-bit floats, which Node.js 24 has and the libraries of TypeScript 6 do not know yet. */
interface HalfView {
  setFloat16(at: number, value: number): void;
  getFloat16(at: number): number;
}

describe('Numbers of 16 bits', () => {
  const view = new DataView(new ArrayBuffer(2));
  const half = view as DataView & HalfView;

  it('have the bits that the language gives them', () => {
    const edges = [
      0,
      -0,
      1,
      -1,
      65504,
      65519.99,
      65520,
      2 ** -14,
      2 ** -24,
      2 ** -25,
      2 ** -25 * 1.0001,
      2047.5,
      2049,
    ];
    const number = fc.oneof(
      fc.constantFrom(...edges, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
      fc.double({ noNaN: true }),
      fc.double({ min: -70_000, max: 70_000, noNaN: true }),
      fc.double({ min: -(2 ** -12), max: 2 ** -12, noNaN: true }),
    );
    fc.assert(
      fc.property(number, (value) => {
        half.setFloat16(0, value);
        assert.equal(toHalfBits(value), view.getUint16(0), String(value));
      }),
      { numRuns: 5000 },
    );
  });

  it('are the numbers that the language reads from their bits, all of them', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      view.setUint16(0, bits);
      assert.ok(Object.is(fromHalfBits(bits), half.getFloat16(0)), String(bits));
    }
    assert.ok(Number.isNaN(fromHalfBits(toHalfBits(Number.NaN))));
  });
});
