import assert from 'node:assert/strict';
import fc from 'fast-check';
import { modelStatisticsResponse } from '../../src/scorer/grpc/describingMessages.ts';
import { modelInferRequest, tensorContents } from '../../src/scorer/grpc/inferenceMessages.ts';

const plain = <Value>(model: { [Key in keyof Value]: fc.Arbitrary<Value[Key]> }) =>
  fc.record(model, { noNullPrototype: true });
const integers32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const bytes = fc.uint8Array({ maxLength: 9 }).map((content) => Buffer.from(content));
const parameter = plain({
  bool_param: fc.option(fc.boolean(), { nil: undefined }),
  int64_param: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { nil: undefined }),
  string_param: fc.option(fc.string(), { nil: undefined }),
  double_param: fc.option(fc.double({ noNaN: true }), { nil: undefined }),
  uint64_param: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
});
const parameters = fc.array(plain({ key: fc.string(), value: parameter }), { maxLength: 3 });
const contents = plain({
  bool_contents: fc.array(fc.boolean()),
  int_contents: fc.array(integers32),
  int64_contents: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  uint_contents: fc.array(fc.nat(2 ** 32 - 1)),
  uint64_contents: fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  fp32_contents: fc.array(fc.float({ noNaN: true })),
  fp64_contents: fc.array(fc.double({ noNaN: true })),
  bytes_contents: fc.array(bytes),
});
const request = plain({
  model_name: fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed()),
  model_version: fc.string(),
  id: fc.string(),
  parameters,
  inputs: fc.array(
    plain({
      name: fc.string(),
      datatype: fc.string(),
      shape: fc.array(fc.maxSafeInteger()),
      parameters,
      contents: fc.option(contents, { nil: null }),
    }),
    { maxLength: 3 },
  ),
  outputs: fc.array(plain({ name: fc.string(), parameters }), { maxLength: 3 }),
  raw_input_contents: fc.array(bytes),
});

describe('Messages of gRPC', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(request, (message) => {
        assert.deepEqual(modelInferRequest.decode(modelInferRequest.encode(message)), message);
      }),
      { numRuns: 300 },
    );
  });

  it('are read or refused, whatever the bytes are', () => {
    const mangled = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(request, fc.nat(200), fc.nat(255)).map(([message, place, byte]) => {
        const encoded = modelInferRequest.encode(message);
        if (place < encoded.length) encoded[place] = byte;
        return encoded;
      }),
      fc
        .tuple(request, fc.nat(200))
        .map(([message, cut]) => modelInferRequest.encode(message).subarray(0, cut)),
    );
    fc.assert(
      fc.property(mangled, (content) => {
        try {
          modelInferRequest.decode(Buffer.from(content));
        } catch (error) {
          assert.match(String(error), /^Error: (the message|a field)/);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('may have numbers that are not packed, and fields that nobody knows', () => {
    // The fields 2 (int_contents: 7, then 8 and 9 packed), 100 (text), 101 (fixed64), 102 (fixed32), 103 (varint).
    const message = Buffer.from(
      '1007' + '12020809' + 'a206026869' + 'a9060102030405060708' + 'b50601020304' + 'b80601',
      'hex',
    );
    assert.deepEqual(tensorContents.decode(message).int_contents, [7, 8, 9]);
  });

  it('with more parts than any request has are refused before they cost memory', () => {
    const parts = Buffer.alloc(2 * 70_000, Buffer.from([0x3a, 0]));
    assert.throws(() => modelInferRequest.decode(parts), /a field has more than 65536 elements/);
  });

  it('hold counts beyond 32 bits', () => {
    const ns = 2 ** 40 + 1;
    const none = { count: 0, ns: 0 };
    const steps = { fail: none, queue: none, compute_input: none, compute_infer: none, compute_output: none };
    const statistics = {
      name: 'wine',
      version: '1',
      last_inference: 1_800_000_000_000,
      inference_count: 1,
      execution_count: 1,
      inference_stats: { ...steps, success: { count: 1, ns }, cache_hit: none, cache_miss: none },
      batch_stats: [],
    };
    const sent = modelStatisticsResponse.encode({ model_stats: [statistics] });
    assert.deepEqual(modelStatisticsResponse.decode(sent).model_stats, [statistics]);
  });
});
