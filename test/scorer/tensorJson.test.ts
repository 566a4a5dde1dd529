import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allocate, type Datatype, elementJson, type Tensor } from '../../src/inference/datatypes.ts';
import { elementCount, flatJson, nestedJson, readTensor, rowsJson } from '../../src/inference/tensorJson.ts';

const shapes = fc.array(fc.nat(4), { maxLength: 3 });

/** Tensors of whatever their bytes mean. */
const bytes = fc
  .record({
    datatype: fc.constantFrom<Datatype[]>(
      'BOOL',
      'INT8',
      'INT64',
      'UINT64',
      'UINT32',
      'FP16',
      'FP32',
      'FP64',
    ),
    shape: shapes,
    content: fc.infiniteStream(fc.nat(255)),
  })
  .map(({ datatype, shape, content }): Tensor => {
    const data = allocate(datatype, elementCount(shape));
    assert.ok(!Array.isArray(data));
    const view = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (const index of view.keys()) view[index] = content.next().value ?? 0;
    return { datatype, shape, data };
  });

/** Tensors of numbers as people send them, and of those that JSON has no words for. */
const numbers = fc
  .record({
    shape: shapes,
    content: fc
      .constantFrom(0.5, -0, Number.NaN, Number.POSITIVE_INFINITY)
      .chain((special) => fc.infiniteStream(fc.oneof(fc.double({ noNaN: true }), fc.constant(special)))),
  })
  .map(({ shape, content }): Tensor => {
    const data = Float64Array.from({ length: elementCount(shape) }, () => content.next().value ?? 0);
    return { datatype: 'FP64', shape, data };
  });

/** No request may hold a NUL: the runtime would end a text there. */
const text = fc.string({ unit: 'binary' }).filter((content) => !content.includes('\0'));

const texts = fc
  .record({ shape: shapes, content: fc.infiniteStream(text) })
  .map(({ shape, content }): Tensor => {
    const data = Array.from({ length: elementCount(shape) }, () => content.next().value ?? '');
    return { datatype: 'BYTES', shape, data };
  });

describe('Tensors as JSON', () => {
  it('hold each element as it is written alone', () => {
    fc.assert(
      fc.property(fc.oneof(bytes, numbers, texts), (tensor) => {
        const alone = Array.from<number | bigint | string, string>(tensor.data, (value) =>
          elementJson(tensor.datatype, value),
        );
        assert.equal(flatJson(tensor), `[${alone.join(',')}]`);
        assert.equal(nestedJson(tensor), inLists(alone, tensor.shape));
        if (tensor.shape.length > 0) assert.equal(`[${rowsJson(tensor).join(',')}]`, nestedJson(tensor));
      }),
    );
  });

  it('hold each element of a long list too', () => {
    const values = Array.from({ length: 5000 }, (_, index) => index / 7);
    for (const special of [0.5, -0, Number.NaN, Number.NEGATIVE_INFINITY]) {
      const data = Float64Array.from(values).fill(special, 1234, 1235);
      const alone = Array.from(data, (value) => elementJson('FP64', value));
      assert.equal(flatJson({ datatype: 'FP64', shape: [5000], data }), `[${alone.join(',')}]`);
    }
    const words = values.map((value) => `"${value}" ü`);
    assert.equal(flatJson({ datatype: 'BYTES', shape: [5000], data: words }), JSON.stringify(words));
  });

  it('are read as they were written, flat and nested', () => {
    const well = texts.filter(({ data }) => Array.isArray(data) && !data.join('').includes('\0'));
    fc.assert(
      fc.property(fc.oneof(bytes, numbers, well), (tensor) => {
        const { datatype, shape } = tensor;
        // The language reads larger integers with fewer digits.
        if (datatype === 'INT64' || datatype === 'UINT64') return;
        // Lists without elements say nothing of the sizes behind.
        for (const json of [flatJson(tensor), ...(shape.includes(0) ? [] : [nestedJson(tensor)])]) {
          const read = readTensor('It', datatype, shape, JSON.parse(json));
          assert.deepEqual(read.shape, shape);
          assert.equal(flatJson(read), flatJson(tensor));
        }
      }),
    );
  });

  it('name the element that does not fit', () => {
    const read = (datatype: Datatype, json: unknown) => () => readTensor('It', datatype, [2, 2], json);
    const message = 'It, element [1, 0]: expected a number (FP32), got "x".';
    assert.throws(read('FP32', [1, 2, 'x', 4]), { message });
    assert.throws(
      read('FP32', [
        [1, 2],
        ['x', 4],
      ]),
      { message },
    );
    assert.throws(
      read('INT8', [
        [1, 2],
        [3, 128],
      ]),
      /^RequestProblem: It, element \[1, 1\]: expected an integer from -128 to 127 \(INT8\), got 128\.$/,
    );
  });
});

function inLists(elements: readonly string[], [size, ...rest]: readonly number[]): string {
  if (size === undefined) return elements[0] ?? '';
  const each = elementCount(rest);
  const parts = Array.from({ length: size }, (_, index) =>
    inLists(elements.slice(index * each, (index + 1) * each), rest),
  );
  return `[${parts.join(',')}]`;
}
