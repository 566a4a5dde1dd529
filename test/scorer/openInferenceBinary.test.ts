import assert from 'node:assert/strict';
import fc from 'fast-check';
import { elementBytes, readBinaryTensor, writeBinaryTensor } from '../../src/inference/binaryTensors.ts';
import { allocate, type Datatype, type Tensor } from '../../src/inference/datatypes.ts';
import { RequestProblem } from '../../src/inference/problem.ts';
import { elementCount } from '../../src/inference/tensorJson.ts';
import { classifierModel, identityModel, linearModel } from '../fixtures/onnxFile.ts';
import { type InferenceServer, serverToken, startInferenceServer } from './inferenceServer.ts';
import { removeFolder, temporaryFolder } from './scorerProcess.ts';

const datatypes: readonly Datatype[] = [
  'BOOL',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
];

const shapes = fc.array(fc.nat(4), { maxLength: 3 });

/** A tensor of any datatype; numbers from any bits, NaN of every kind among them. */
const tensors: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...datatypes), shapes)
  .chain(([datatype, shape]) => {
    const count = elementCount(shape);
    const size = elementBytes(datatype);
    if (size === null) {
      const text = fc
        .string({ unit: 'grapheme' })
        .filter((value) => !value.includes('\0') && value.isWellFormed());
      return fc
        .array(text, { minLength: count, maxLength: count })
        .map((data) => ({ datatype, shape, data }));
    }
    const bits = fc.uint8Array({
      minLength: count * size,
      maxLength: count * size,
      max: datatype === 'BOOL' ? 1 : 255,
    });
    return bits.map((bytes) => {
      const data = allocate(datatype, count);
      if (!Array.isArray(data)) new Uint8Array(data.buffer).set(bytes);
      return { datatype, shape, data };
    });
  });

describe('Tensors as bytes', () => {
  it('come back as they were, wherever they lie in memory', () => {
    fc.assert(
      fc.property(tensors, fc.nat(9), ({ datatype, shape, data }, offset) => {
        const bytes = writeBinaryTensor({ datatype, shape, data });
        const memory = new Uint8Array(offset + bytes.length);
        memory.set(bytes, offset);
        const read = readBinaryTensor('x', datatype, shape, memory.subarray(offset));
        assert.deepEqual(read.shape, shape);
        assert.deepEqual(Buffer.from(writeBinaryTensor(read)), Buffer.from(bytes));
        if (Array.isArray(data)) assert.deepEqual(read.data, data);
        else assert.equal(read.data.constructor, data.constructor);
      }),
      { numRuns: 500 },
    );
  });

  it('are refused with a sentence when they are cut off, too long or anything at all, and never overrun', () => {
    const mangled = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(tensors, fc.nat(20)).map(([tensor, cut]) => writeBinaryTensor(tensor).subarray(0, cut)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...datatypes), shapes, mangled, (datatype, shape, bytes) => {
        try {
          const { data } = readBinaryTensor('x', datatype, shape, bytes);
          assert.equal(data.length, elementCount(shape));
        } catch (error) {
          assert.ok(error instanceof RequestProblem && error.status === 400, String(error));
          assert.match(error.message, /^x[:,]/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('of texts that are no UTF-8 or hold NUL are refused', () => {
    const element = (...content: number[]) => Uint8Array.from([content.length, 0, 0, 0, ...content]);
    const read = (bytes: Uint8Array) => () => readBinaryTensor('Input "s"', 'BYTES', [1], bytes);
    assert.throws(read(element(0xc3, 0x28)), /Input "s", element 0: expected text in UTF-8/);
    assert.throws(read(element(97, 0, 98)), /Input "s", element 0: a NUL character/);
    assert.throws(read(Uint8Array.from([255, 255, 255, 255, 97])), /its bytes end within element 0 of 1/);
    assert.deepEqual(read(element(0xef, 0xbb, 0xbf, 97))().data, ['\ufeffa']);
  });

  it('share memory only where they fill it', () => {
    const memory = new Uint8Array(1024);
    const small = readBinaryTensor('x', 'FP32', [2], memory.subarray(0, 8));
    assert.notEqual(!Array.isArray(small.data) && small.data.buffer, memory.buffer);
    const large = readBinaryTensor('x', 'FP32', [256], memory);
    assert.equal(!Array.isArray(large.data) && large.data.buffer, memory.buffer);
  });
});

describe('The binary tensor extension', () => {
  let folder: string;
  let server: InferenceServer;
  before(async () => {
    folder = await temporaryFolder();
    const identity = identityModel([
      { name: 'a', element: 'float', shape: ['rows'] },
      { name: 'b', element: 'string', shape: ['rows'] },
    ]);
    server = await startInferenceServer(folder, [
      { name: 'wine', version: 1, model: linearModel() },
      { name: 'both', version: 1, model: identity },
      { name: 'text', version: 1, model: identityModel([{ name: 's', element: 'string', shape: [1] }]) },
      { name: 'fixed', version: 1, model: identityModel([{ name: 's', element: 'int64', shape: [2, 2] }]) },
      { name: 'classes', version: 1, model: classifierModel(['a', 'b', 'c']) },
    ]);
  });
  after(async () => {
    await server.close();
    await removeFolder(folder);
    assert.deepEqual(server.unforeseen, []);
  });

  /** Sends JSON with bytes behind it, and reads what comes back the same way. */
  const ask = async (model: string, head: unknown, tail: Uint8Array, length?: number | string) => {
    const json = Buffer.from(typeof head === 'string' ? head : JSON.stringify(head));
    const response = await fetch(`http://${server.http}/v2/models/${model}/infer`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${serverToken}`,
        'inference-header-content-length': String(length ?? json.length),
      },
      body: Buffer.concat([json, tail]),
    });
    const body = Buffer.from(await response.arrayBuffer());
    const header = response.headers.get('inference-header-content-length');
    const end = header === null ? body.length : Number(header);
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      header,
      json: JSON.parse(body.subarray(0, end).toString()),
      tail: body.subarray(end),
    };
  };
  const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const wine = (size: unknown, more: object = {}) => ({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 3], parameters: { binary_data_size: size } }],
    ...more,
  });
  const rows = floats(1, 2, 3, 4, 5, 6);

  it('takes bytes, and gives JSON where bytes are not asked for', async () => {
    const { status, type, header, json } = await ask('wine', wine(24), rows);
    assert.equal(status, 200);
    assert.equal(type, 'application/json');
    assert.equal(header, null);
    assert.deepEqual(json.outputs, [{ name: 'y', shape: [2, 1], datatype: 'FP32', data: [14.5, 32.5] }]);
  });

  it('gives bytes for all outputs, or for those that ask for them', async () => {
    const all = await ask('wine', wine(24, { id: 'é', parameters: { binary_data_output: true } }), rows);
    assert.equal(all.type, 'application/octet-stream');
    assert.equal(all.json.id, 'é');
    assert.deepEqual(all.json.outputs, [
      { name: 'y', shape: [2, 1], datatype: 'FP32', parameters: { binary_data_size: 8 } },
    ]);
    assert.deepEqual(all.tail, Buffer.from(floats(14.5, 32.5)));
    const outputs = [
      { name: 'b_out', parameters: { binary_data: true } },
      { name: 'a_out', parameters: { binary_data: false } },
    ];
    const inputs = [
      { name: 'a', datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } },
      { name: 'b', datatype: 'BYTES', shape: [2], data: ['é', ''] },
    ];
    const mixed = await ask(
      'both',
      { inputs, outputs, parameters: { binary_data_output: true } },
      floats(0.5, -1),
    );
    assert.deepEqual(mixed.json.outputs, [
      { name: 'b_out', shape: [2], datatype: 'BYTES', parameters: { binary_data_size: 10 } },
      { name: 'a_out', shape: [2], datatype: 'FP32', data: [0.5, -1] },
    ]);
    assert.deepEqual(mixed.tail, Buffer.from([2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]));
  });

  it('takes a raw request for the only input of a model', async () => {
    const linear = await ask('wine', '', rows, 0);
    assert.deepEqual(linear.json.outputs[0].shape, [2, 1]);
    assert.deepEqual(linear.tail, Buffer.from(floats(14.5, 32.5)));
    const text = await ask('text', '', Buffer.from('São Paulo'), 0);
    assert.equal(text.tail.subarray(4).toString(), 'São Paulo');
    const fixed = await ask('fixed', '', new Uint8Array(BigInt64Array.from([1n, 2n, 3n, 4n]).buffer), 0);
    assert.deepEqual(fixed.json.outputs[0].shape, [2, 2]);
    const short = await ask('fixed', '', new Uint8Array(8), 0);
    assert.equal(short.status, 400);
    assert.match(short.json.error, /Input "s": shape \[2, 2\] of INT64 takes 32 bytes, but there are 8/);
    const many = await ask('both', '', rows, 0);
    assert.match(many.json.error, /a model with one input, but this one has 2: a, b/);
  });

  it('gives the highest classes, with their labels', async () => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [2, 2], parameters: { binary_data_size: 16 } }];
    const outputs = [{ name: 'probability', parameters: { classification: 2 } }];
    const { json } = await ask('classes', { inputs, outputs }, floats(1, 2.5, -3, -4));
    assert.deepEqual(json.outputs, [
      {
        name: 'probability',
        shape: [2, 2],
        datatype: 'BYTES',
        data: ['2.5:1:b', '1:0:a', '7:2:c', '-3:0:a'],
      },
    ]);
    const label = [{ name: 'label', parameters: { classification: 1 } }];
    const refused = await ask('classes', { inputs, outputs: label }, floats(1, 2, 3, 4));
    assert.equal(refused.status, 400);
    assert.match(refused.json.error, /Output "label": BYTES has no order/);
  });

  describe('refuses with 400 and a sentence', () => {
    const empty = new Uint8Array(0);
    const cases: readonly [string, unknown, Uint8Array, number | string | undefined, RegExp][] = [
      ['a length that is none', wine(24), rows, 'many', /must be a number of bytes, got "many"/],
      ['a length beyond the body', wine(24), rows, 100_000, /says 100000 bytes, but the body has \d+/],
      ['a length within the JSON', wine(24), rows, 10, /not valid JSON/],
      ['too few bytes', wine(24), rows.subarray(0, 20), undefined, /is 24, but only 20 bytes are left/],
      ['too many bytes', wine(20), rows, undefined, /4 bytes are left behind the binary data/],
      [
        'a size that does not fit the shape',
        wine(20),
        rows.subarray(0, 20),
        undefined,
        /takes 24 bytes, but there are 20/,
      ],
      [
        'a size that is none',
        wine('24'),
        rows,
        undefined,
        /"binary_data_size" must be a number of bytes, got "24"/,
      ],
      ['a negative size', wine(-24), rows, undefined, /"binary_data_size" must be/],
      [
        'a size and data',
        { inputs: [{ ...wine(24).inputs[0], data: [1] }] },
        rows,
        undefined,
        /it must have one of them/,
      ],
      ['no JSON', '{', empty, undefined, /not valid JSON/],
    ];
    for (const [title, head, tail, length, message] of cases) {
      it(title, async () => {
        const { status, json } = await ask('wine', head, tail, length);
        assert.equal(status, 400);
        assert.match(json.error, message);
      });
    }

    it('a size without the header', async () => {
      const response = await fetch(`http://${server.http}/v2/models/wine/infer`, {
        method: 'POST',
        headers: { authorization: `Bearer ${serverToken}` },
        body: JSON.stringify(wine(24)),
      });
      assert.equal(response.status, 400);
      assert.match(await response.text(), /does not say where the JSON ends/);
    });

    it('anything at all, and never fails itself', async function () {
      this.timeout(30_000);
      const sizes = fc.oneof(fc.integer(), fc.constantFrom(0, 4, 24, 1e300, -1), fc.jsonValue());
      await fc.assert(
        fc.asyncProperty(
          sizes,
          fc.uint8Array({ maxLength: 40 }),
          fc.oneof(fc.nat(200), fc.constant(undefined), fc.constant(0)),
          fc.constantFrom('wine', 'both', 'text', 'fixed'),
          async (size, tail, length, model) => {
            const { status } = await ask(model, wine(size), tail, length);
            assert.ok(status === 200 || status === 400, String(status));
          },
        ),
        { numRuns: 200 },
      );
    });
  });
});
