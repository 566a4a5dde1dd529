import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allocate, type Datatype, runtimeTypes, type Tensor } from '../../src/inference/datatypes.ts';
import { fromHalfBits } from '../../src/protocol/halfPrecision.ts';
import { headField, headLength, noHead } from '../../src/protocol/inferenceLogTables.ts';
import { readPackedTensors } from '../../src/protocol/packedTensors.ts';
import {
  type AnnouncedModel,
  type AnsweredTensors,
  buffersOf,
  createBlockBuilder,
  type RequestBlock,
} from '../../src/scorer/requestBlock.ts';

const datatypes = Object.keys(runtimeTypes).filter((name): name is Datatype => name in runtimeTypes);

const tensor: fc.Arbitrary<Tensor> = fc
  .record({
    datatype: fc.constantFrom(...datatypes),
    shape: fc.array(fc.nat(3), { maxLength: 3 }),
    seed: fc.nat(200),
    absent: fc.boolean(),
  })
  .map(({ datatype, shape, seed, absent }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const data = allocate(datatype, length);
    for (let index = 0; index < length; index++) {
      const value = (seed + index) % 100;
      if (Array.isArray(data)) data[index] = `texto ${value} 🍷`;
      else if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = BigInt(value);
      else data[index] = value;
    }
    return { datatype, shape, data, ...(absent && { absent: true as const }) };
  });

interface Asked extends AnsweredTensors {
  readonly model: number | null;
}

const request: fc.Arbitrary<Asked> = fc.record(
  {
    requestId: fc.string(),
    receivedAt: fc.nat(2 ** 31).map((value) => value * 1000),
    status: fc.constantFrom(200, 400, 500),
    latencyMicroseconds: fc.nat(),
    model: fc.option(fc.nat(10)),
    variant: fc.constantFrom('stable', 'candidate', 'shadow'),
    values: fc.option(
      fc.record(
        { feeds: fc.array(tensor, { maxLength: 3 }), outputs: fc.array(tensor, { maxLength: 3 }) },
        { noNullPrototype: true },
      ),
    ),
  },
  { noNullPrototype: true },
);

/** What a tensor's elements become in the log, as far as these tests make them. */
function logged({ datatype, shape, data, absent }: Tensor) {
  const elements = Array.from<string | number | bigint, unknown>(data, (value) => {
    if (datatype === 'BOOL') return value !== 0;
    return datatype === 'FP16' && typeof value === 'number' ? fromHalfBits(value) : value;
  });
  return { kind: absent ? 'ABSENT' : datatype, shape, elements: absent ? [] : elements };
}

const announced = (number: number | null): AnnouncedModel | null =>
  number === null ? null : { number, hidden: [] };

/** The requests of a block, as its format says. */
function unpacked({ count, requestIds, variants, heads, memory }: RequestBlock) {
  const ids: readonly string[] = JSON.parse(requestIds);
  const names: readonly string[] = JSON.parse(variants);
  assert.equal(ids.length, count);
  assert.equal(heads.length, count * headLength);
  return ids.map((requestId, index) => {
    const field = (name: keyof typeof headField) => heads[index * headLength + headField[name]] ?? Number.NaN;
    const begin = field('begin');
    const tensors = begin === noHead ? null : new Uint8Array(memory, begin, field('end') - begin);
    return {
      requestId,
      receivedAt: field('receivedAt'),
      status: field('status'),
      latencyMicroseconds: field('latencyMicroseconds'),
      model: field('model') === noHead ? null : field('model'),
      variant: names[field('variant')],
      rowCount: field('rowCount'),
      values:
        tensors &&
        readPackedTensors(tensors).map(({ kind, shape, elements }) => ({
          kind,
          shape,
          elements: elements(0, 1, Number.POSITIVE_INFINITY),
        })),
    };
  });
}

describe('A block of requests for the log', () => {
  it('holds them as they went in, time after time', () => {
    const builder = createBlockBuilder();
    let memory: ArrayBuffer | null = null;
    fc.assert(
      fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
        for (const each of requests) builder.add(each, announced(each.model));
        assert.equal(builder.count, requests.length);
        const block = builder.take(memory);
        const sent = structuredClone(block, { transfer: buffersOf(block) });
        assert.deepEqual(
          unpacked(sent),
          requests.map(({ values, ...rest }) => ({
            ...rest,
            rowCount: values ? (values.feeds[0]?.shape[0] ?? 1) : 0,
            values: values && [...values.feeds, ...values.outputs].map(logged),
          })),
        );
        assert.equal(builder.count, 0);
        memory = sent.memory;
      }),
    );
  });

  const large = (): AnsweredTensors => {
    const data = Float64Array.from({ length: 50_000 }, (_, index) => index);
    const feeds = [{ datatype: 'FP64', shape: [50_000], data }] as const;
    const values = { feeds, outputs: feeds };
    return {
      requestId: '1',
      receivedAt: 1,
      status: 200,
      latencyMicroseconds: 1,
      variant: 'a',
      values,
    };
  };

  it('may be larger than the room that was there first', () => {
    const builder = createBlockBuilder();
    builder.add(large(), announced(0));
    const [out] = unpacked(builder.take(null));
    const { values } = large();
    assert.deepEqual(out?.values, [...(values?.feeds ?? []), ...(values?.outputs ?? [])].map(logged));
  });

  it('leaves out requests that have no room, and holds those before and behind them', () => {
    const builder = createBlockBuilder();
    const tooLarge: Tensor = {
      datatype: 'FP64',
      shape: [1],
      get data(): Float64Array<ArrayBuffer> {
        throw new RangeError('Array buffer allocation failed');
      },
    };
    const fits = large();
    builder.add(fits, announced(0));
    const fails = { ...fits, values: { feeds: fits.values?.feeds ?? [], outputs: [tooLarge] } };
    assert.throws(() => builder.add(fails, announced(0)), RangeError);
    builder.add({ ...fits, requestId: '2' }, announced(0));
    const out = unpacked(builder.take(null));
    assert.deepEqual(
      out.map(({ requestId, values }) => [requestId, values?.length]),
      [
        ['1', 2],
        ['2', 2],
      ],
    );
  });
});
