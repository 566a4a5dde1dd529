import assert from 'node:assert/strict';
import fc from 'fast-check';
import { columnJson, columnLayout, inputsJson, outputsJson } from '../../src/inference/columns.ts';
import { allocate, type Datatype, type Tensor } from '../../src/inference/datatypes.ts';
import { shortestFloats } from '../../src/inference/shortestFloat.ts';
import { createLoggedValues } from '../../src/scorer/loggedValues.ts';

const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 8.600000381469727];

function filled(datatype: Datatype, shape: readonly number[], values: readonly number[]): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  const data = allocate(datatype, length);
  for (let index = 0; index < length; index++) {
    const value = values[index % values.length] ?? 0;
    if (Array.isArray(data)) data[index] = `"${value}"`;
    else if (data instanceof BigInt64Array || data instanceof BigUint64Array)
      data[index] = BigInt(Math.trunc(Number.isFinite(value) ? value : 7));
    else data[index] = value;
  }
  return { datatype, shape, data };
}

const values = fc.array(fc.oneof(fc.float(), fc.constantFrom(...special), fc.integer()), {
  minLength: 1,
  maxLength: 12,
});
const redacted = fc.constantFrom(new Set<string>(), new Set(['b']), new Set(['y']));
const datatype = fc.constantFrom<Datatype>('FP32', 'FP64', 'FP16', 'INT64', 'UINT8', 'BOOL', 'BYTES');

describe('The values of a logged request', () => {
  it('are those of a table, however it is laid out', () => {
    fc.assert(
      fc.property(datatype, datatype, fc.nat(4), values, redacted, (first, second, rows, numbers, hidden) => {
        const layouts = [
          { inputs: [{ name: 'x', datatype: first, shape: [-1, 3] }], columns: ['a', 'b', 'c'] },
          {
            inputs: [
              { name: 'a', datatype: first, shape: [-1, 1] },
              { name: 'b', datatype: second, shape: [-1] },
            ],
            columns: ['a', 'b'],
          },
          { inputs: [{ name: 'x', datatype: first, shape: [-1, 3] }], columns: null },
        ];
        for (const { inputs, columns } of layouts) {
          const layout = columnLayout(inputs, columns);
          const model = { name: 'wine', version: 1, inputs, outputs: [], layout };
          const feeds = inputs.map(({ datatype: type, shape }) =>
            filled(type, [rows, ...shape.slice(1)], numbers),
          );
          assert.equal(
            createLoggedValues(model, hidden).inputs(feeds),
            inputsJson(feeds.map(shortestFloats), inputs, layout, hidden),
          );
        }
      }),
    );
  });

  it('are those of one output or several', () => {
    fc.assert(
      fc.property(
        datatype,
        fc.nat(4),
        values,
        redacted,
        fc.constantFrom([], [1], [2]),
        (type, rows, numbers, hidden, rest) => {
          const shape = [-1, ...rest];
          for (const names of [['y'], ['y', 'z']]) {
            const outputs = names.map((name) => ({ name, datatype: type, shape, labels: null }));
            const model = { name: 'wine', version: 1, inputs: [], outputs, layout: null };
            const tensors = names.map(() => filled(type, [rows, ...rest], numbers));
            assert.equal(
              createLoggedValues(model, hidden).outputs(tensors),
              outputsJson(tensors.map(shortestFloats), outputs, columnJson, hidden),
            );
          }
        },
      ),
    );
  });
});
