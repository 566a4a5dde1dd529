import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allocate, type Datatype, runtimeTypes, type Tensor } from '../../src/inference/datatypes.ts';
import type { LoggedRequest } from '../../src/scorer/loggedRequest.ts';
import { buffersOf, createRequestPacker, unpackRequests } from '../../src/scorer/packedRequests.ts';

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

const request: fc.Arbitrary<LoggedRequest> = fc.record(
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

describe('Requests that are packed for the log', () => {
  it('come out as they went in, time after time', () => {
    const packer = createRequestPacker();
    fc.assert(
      fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
        for (const each of requests) packer.add(each);
        assert.equal(packer.count, requests.length);
        const packed = packer.take();
        const sent = structuredClone(packed, { transfer: buffersOf(packed) });
        assert.deepEqual(unpackRequests(sent), requests);
        assert.equal(packer.count, 0);
      }),
    );
  });

  it('may be larger than the room that was there first', () => {
    const packer = createRequestPacker();
    const data = Float64Array.from({ length: 50_000 }, (_, index) => index);
    const feeds = [{ datatype: 'FP64', shape: [50_000], data }] as const;
    const large = {
      requestId: 'large',
      receivedAt: 1,
      status: 200,
      latencyMicroseconds: 1,
      model: 0,
      variant: 'stable',
      values: { feeds, outputs: feeds },
    };
    packer.add(large);
    assert.deepEqual(unpackRequests(packer.take()), [large]);
  });
});
