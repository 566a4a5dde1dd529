import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allocate, type Datatype, runtimeTypes, type Tensor } from '../../src/inference/datatypes.ts';
import { fromHalfBits } from '../../src/protocol/halfPrecision.ts';
import { readPackedTensors } from '../../src/protocol/packedTensors.ts';
import {
  type AnsweredTensors,
  buffersOf,
  createRequestPacker,
  unpackRequests,
} from '../../src/scorer/packedRequests.ts';

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

const request: fc.Arbitrary<AnsweredTensors> = fc.record(
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

function unpacked(packed: Uint8Array) {
  return readPackedTensors(packed).map(({ kind, shape, elements }) => ({
    kind,
    shape,
    elements: elements(0, 1, Number.POSITIVE_INFINITY),
  }));
}

describe('Requests that are packed for the log', () => {
  it('come out as they went in, time after time', () => {
    const packer = createRequestPacker();
    let memory: ArrayBuffer | null = null;
    fc.assert(
      fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
        for (const each of requests) packer.add(each, []);
        assert.equal(packer.count, requests.length);
        const packed = packer.take(memory);
        const sent = structuredClone(packed, { transfer: buffersOf(packed) });
        const out = unpackRequests(sent);
        assert.deepEqual(
          out.map(({ packed: bytes, rowCount: _, ...rest }) => ({
            ...rest,
            values: bytes && unpacked(bytes),
          })),
          requests.map(({ values, ...rest }) => ({
            ...rest,
            values: values && [...values.feeds, ...values.outputs].map(logged),
          })),
        );
        assert.deepEqual(
          out.map(({ rowCount }) => rowCount),
          requests.map(({ values }) => (values ? (values.feeds[0]?.shape[0] ?? 1) : 0)),
        );
        assert.equal(packer.count, 0);
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
      model: 0,
      variant: 'a',
      values,
    };
  };

  it('may be larger than the room that was there first', () => {
    const packer = createRequestPacker();
    packer.add(large(), []);
    const [out] = unpackRequests(packer.take(null));
    const { values } = large();
    assert.deepEqual(
      out?.packed && unpacked(out.packed),
      [...(values?.feeds ?? []), ...(values?.outputs ?? [])].map(logged),
    );
  });

  it('are not added when they have no room, and those before and behind them are', () => {
    const packer = createRequestPacker();
    const tooLarge: Tensor = {
      datatype: 'FP64',
      shape: [1],
      get data(): Float64Array<ArrayBuffer> {
        throw new RangeError('Array buffer allocation failed');
      },
    };
    const fits = large();
    packer.add(fits, []);
    const fails = { ...fits, values: { feeds: fits.values?.feeds ?? [], outputs: [tooLarge] } };
    assert.throws(() => packer.add(fails, []), RangeError);
    packer.add({ ...fits, requestId: '2' }, []);
    const out = unpackRequests(packer.take(null));
    assert.deepEqual(
      out.map(({ requestId, packed }) => [requestId, packed?.length]),
      [
        ['1', out[0]?.packed?.length],
        ['2', out[0]?.packed?.length],
      ],
    );
  });
});
