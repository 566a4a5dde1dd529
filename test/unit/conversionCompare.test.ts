import assert from 'node:assert/strict';
import type { Tensor } from '../../src/inference/datatypes.ts';
import { compareOutput } from '../../src/worker/conversion/compare.ts';

const floats = (...values: readonly number[]): Tensor => ({
  datatype: 'FP32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const doubles = (shape: readonly number[], ...values: readonly number[]): Tensor => ({
  datatype: 'FP64',
  shape,
  data: Float64Array.from(values),
});

describe('The comparison of a converted model', () => {
  it('finds labels that differ, whatever type they came in', () => {
    const expected: Tensor = { datatype: 'INT64', shape: [3], data: BigInt64Array.of(0n, 1n, 2n) };
    const converted: Tensor = { datatype: 'INT32', shape: [3], data: Int32Array.of(0, 1, 1) };
    assert.deepEqual(compareOutput('label', expected, converted), {
      name: 'label',
      rows: 3,
      differentRows: 1,
      largestAbsolute: null,
      meanAbsolute: null,
      examples: [{ row: 2, expected: '2', converted: '1' }],
    });
  });

  it('measures how far numbers are apart, and counts rows beyond the tolerance', () => {
    const difference = compareOutput('variable', doubles([4], 1, 2, 1000, 4), floats(1, 2.5, 1000.0625, 4));
    assert.equal(difference.differentRows, 1);
    assert.equal(difference.largestAbsolute, 0.5);
    assert.equal(difference.meanAbsolute, 0.5625 / 4);
    assert.deepEqual(difference.examples, [{ row: 1, expected: '2', converted: '2.5' }]);
  });

  it('takes a column and a list of values for the same, and rows of several values as one', () => {
    assert.equal(compareOutput('variable', doubles([2, 1], 1, 2), floats(1, 2)).differentRows, 0);
    const scores = compareOutput(
      'probabilities',
      doubles([2, 2], 0.25, 0.75, 0.5, 0.5),
      doubles([2, 2], 0.25, 0.75, 0.75, 0.25),
    );
    assert.equal(scores.differentRows, 1);
    assert.deepEqual(scores.examples, [{ row: 1, expected: '0.5, 0.5', converted: '0.75, 0.25' }]);
  });

  it('takes no value for equal to no value only', () => {
    const difference = compareOutput('variable', doubles([2], Number.NaN, Number.NaN), floats(Number.NaN, 1));
    assert.equal(difference.differentRows, 1);
    assert.equal(difference.largestAbsolute, Number.POSITIVE_INFINITY);
  });

  it('says that all rows differ when there are not as many values', () => {
    const difference = compareOutput('variable', doubles([2], 1, 2), floats(1));
    assert.equal(difference.differentRows, 2);
    assert.equal(difference.largestAbsolute, null);
  });
});
