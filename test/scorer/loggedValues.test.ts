import assert from 'node:assert/strict';
import fc from 'fast-check';
import { columnLayout } from '../../src/inference/columns.ts';
import { allocate, type Datatype, missingText, type Tensor } from '../../src/inference/datatypes.ts';
import { shortestFloats } from '../../src/inference/shortestFloats.ts';
import { namedValuesText, type Side } from '../../src/protocol/loggedValues.ts';
import { createBlockBuilder } from '../../src/scorer/requestBlock.ts';
import { type HiddenPart, type LoggedForm, layOutValues } from '../../src/scorer/valueLayouts.ts';
import { keptInputs, keptOutputs } from './keptValues.ts';

/** What the log tells of a request, after it went through its file's form. */
function toldOf(
  form: LoggedForm,
  redacted: ReadonlySet<string>,
  feeds: readonly Tensor[],
  outputs: readonly Tensor[],
  side: Side,
): string {
  const { description, hidden } = layOutValues(form, redacted);
  return namedValuesText(description, packed(feeds, outputs, hidden), side);
}

function packed(
  feeds: readonly Tensor[],
  outputs: readonly Tensor[],
  hidden: readonly HiddenPart[],
): Uint8Array {
  const builder = createBlockBuilder();
  const request = { requestId: 'a', receivedAt: 1, status: 200, latencyMicroseconds: 1, variant: 'a' };
  builder.add({ ...request, values: { feeds, outputs } }, { number: 0, hidden });
  const { memory, bytes } = builder.take(null);
  return new Uint8Array(memory, 0, bytes);
}

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
          const form = { inputs, outputs: [], layout };
          const feeds = inputs.map(({ datatype: type, shape }) =>
            filled(type, [rows, ...shape.slice(1)], numbers),
          );
          assert.equal(
            toldOf(form, hidden, feeds, [], 'inputs'),
            keptInputs(feeds.map(shortestFloats), inputs, layout, hidden),
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
            const form = { inputs: [], outputs, layout: null };
            const tensors = names.map(() => filled(type, [rows, ...rest], numbers));
            assert.equal(
              toldOf(form, hidden, [], tensors, 'outputs'),
              keptOutputs(tensors.map(shortestFloats), outputs, hidden),
            );
          }
        },
      ),
    );
  });

  it('are scores by class, and no value of BYTES is null', () => {
    const outputs = [
      { name: 'label', datatype: 'BYTES', shape: [-1], labels: null },
      { name: 'scores', datatype: 'FP32', shape: [-1, 2], labels: ['red', 7n] },
    ] as const;
    const tensors: readonly Tensor[] = [
      { datatype: 'BYTES', shape: [2], data: ['\ufeffvinho 🍷', missingText] },
      { datatype: 'FP32', shape: [2, 2], data: Float32Array.of(0.1, 0.9, Number.NaN, -0) },
    ];
    assert.equal(
      toldOf({ inputs: [], outputs, layout: null }, new Set(), [], tensors, 'outputs'),
      '{"label":["\ufeffvinho 🍷",null],"scores":[{"7":0.9,"red":0.1},{"7":-0.0,"red":null}]}',
    );
  });

  it('leave nothing of what is redacted behind in their bytes', () => {
    const secret = 'segredo';
    const inputs = [
      { name: 'x', datatype: 'FP32', shape: [-1, 2] },
      { name: 'text', datatype: 'BYTES', shape: [-1, 2] },
    ] as const;
    const form = { inputs, outputs: [], layout: columnLayout(inputs, ['a', 'b', 'c', 'd']) };
    const named = { ...form, layout: { named: true, places: places(['a', 'b', 'c', 'd']) } };
    const feeds: readonly Tensor[] = [
      { datatype: 'FP32', shape: [2, 2], data: Float32Array.of(1, 13.25, 2, 13.25) },
      { datatype: 'BYTES', shape: [2, 2], data: [secret, 'u', secret, 'v'] },
    ];
    const { hidden } = layOutValues(named, new Set(['b', 'c']));
    const bytes = Buffer.from(packed(feeds, [], hidden));
    assert.equal(bytes.includes(secret), false);
    assert.equal(bytes.includes(Buffer.from(Float32Array.of(13.25).buffer)), false);
    assert.equal(
      toldOf(named, new Set(['b', 'c']), feeds, [], 'inputs'),
      '{"a":[1,2],"b":null,"c":null,"d":["u","v"]}',
    );
  });
});

function places(names: readonly string[]) {
  return names.map((name, index) => ({ name, input: index >> 1, offset: index % 2 }));
}
