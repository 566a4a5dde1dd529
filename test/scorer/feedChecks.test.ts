import assert from 'node:assert/strict';
import type { Datatype, Tensor } from '../../src/inference/datatypes.ts';
import { checkFeeds, checkRows, unknownInput } from '../../src/inference/feedChecks.ts';
import type { TensorSpecification } from '../../src/inference/model.ts';

describe('The runtime is never given what it takes without a word, or refuses with unclear ones:', () => {
  const input = (name: string, datatype: Datatype, shape: readonly number[] | null): TensorSpecification => ({
    name,
    datatype,
    shape,
  });
  const floats = (shape: readonly number[], ...values: number[]): Tensor => ({
    datatype: 'FP32',
    shape,
    data: Float32Array.from(values),
  });
  const badRequest = (message: string) => ({ name: 'RequestProblem', status: 400, message });
  const refused = (specification: TensorSpecification, feeds: readonly Tensor[], message: string) =>
    assert.throws(() => checkFeeds([specification], feeds), badRequest(message));
  const table = input('x', 'FP32', [-1, 3]);
  const anything = input('x', 'FP32', null);

  it('a NUL in a string, and half a surrogate pair', () => {
    const colour = input('colour', 'BYTES', [-1, 1]);
    const texts = (...data: string[]): Tensor => ({ datatype: 'BYTES', shape: [data.length, 1], data });
    for (const [text, shown] of [
      ['a\0b', '"a\\u0000b"'],
      ['\0', '"\\u0000"'],
      ['a\ud83c', '"a\\ud83c"'],
    ] as const) {
      refused(
        colour,
        [texts('red', text)],
        `Input "colour", element 1: expected a string without NUL characters (BYTES), in well-formed Unicode, got ${shown}.`,
      );
    }
    checkFeeds([colour], [texts('', 'rosé', '酒 🍷', 'e\u0301')]);
  });

  it('another rank or size, another datatype, data of another length, or none at all', () => {
    refused(table, [floats([3], 1, 2, 3)], 'Input "x": expected shape [any, 3], got [3].');
    refused(table, [floats([1, 2], 1, 2)], 'Input "x": expected shape [any, 3], got [1, 2].');
    refused(table, [floats([1, 3, 1], 1, 2, 3)], 'Input "x": expected shape [any, 3], got [1, 3, 1].');
    refused(
      table,
      [{ datatype: 'FP64', shape: [1, 3], data: Float64Array.of(1, 2, 3) }],
      'Input "x": expected datatype FP32, got FP64.',
    );
    refused(table, [floats([2, 3], 1, 2, 3)], 'Input "x": shape [2, 3] takes 6 elements, but data has 3.');
    refused(table, [], 'Input "x" is missing.');
    checkFeeds([table], [floats([1, 3], 1, 2, 3)]);
  });

  it('large shapes that bring no data, and more axes than any model has', () => {
    refused(
      anything,
      [floats([1e9, 0])],
      'Input "x": expected a shape whose other sizes multiply to at most 65536 where one is 0, got [1000000000, 0].',
    );
    assert.throws(() => checkFeeds([input('x', 'FP32', [-1, -1])], [floats([0, 65_537])]), /at most 65536/);
    assert.throws(
      () => checkFeeds([anything], [floats(new Array<number>(33).fill(1), 7)]),
      /^RequestProblem: Input "x": expected a shape of at most 32 sizes, got \[1, /,
    );
    checkFeeds([input('x', 'FP32', [-1, 3, 1000, 1000])], [floats([0, 3, 1000, 1000])]);
    checkFeeds([anything, anything], [floats([65_536, 0]), floats([], 1)]);
  });

  it('inputs of different numbers of rows', () => {
    const inputs = [input('a', 'FP32', [-1, 1]), input('b', 'FP32', [2, 1]), input('c', 'FP32', [-1])];
    assert.throws(
      () => checkRows(inputs, [floats([1, 1], 1), floats([2, 1], 1, 2), floats([3], 1, 2, 3)]),
      badRequest('Input "c" has 3 rows, but input "a" has 1.'),
    );
    checkRows(inputs, [floats([1, 1], 1), floats([2, 1], 1, 2), floats([1], 1)]);
  });

  it('inputs that the model does not have, or whose value lies in its file', () => {
    const model = { inputs: [table], fixedInputs: ['bias'] };
    assert.equal(unknownInput(model, 'z').message, 'The model has no input "z". Its inputs: x.');
    assert.equal(
      unknownInput(model, 'bias').message,
      'Input "bias" has a value in the model\'s file, which a request cannot replace. Inputs to send: x.',
    );
  });
});
