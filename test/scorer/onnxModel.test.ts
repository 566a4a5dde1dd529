import assert from 'node:assert/strict';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Datatype, Tensor, TensorData } from '../../src/inference/datatypes.ts';
import { loadModel, type Model } from '../../src/inference/model.ts';
import { createPredictor } from '../../src/inference/predictor.ts';
import { loadRuntime } from '../../src/inference/runtime.ts';
import { type Detail, worded } from '../../src/protocol/errorDetails.ts';
import { errorCatalogue, SlipwayError } from '../../src/protocol/errors.ts';
import {
  classifierModel,
  type ElementType,
  identityModel,
  linearModel,
  sequenceModel,
} from '../fixtures/onnxFile.ts';
import {
  anyTypeModel,
  castModel,
  defaultInputModel,
  externalWeightsModel,
  otherTypes,
  talkativeModel,
} from '../fixtures/unusualOnnxFile.ts';
import { removeFolder, temporaryFolder } from './scorerProcess.ts';

const inEnglish = (warning: string | Detail) => worded(warning);

describe('An ONNX model', () => {
  let folder: string;
  const loaded: Model[] = [];
  before(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    for (const model of loaded.splice(0)) await model.close();
  });
  after(() => removeFolder(folder));

  const load = async (onnx: Buffer | string, threads = 1): Promise<Model> => {
    const file = typeof onnx === 'string' ? onnx : join(folder, `${crypto.randomUUID()}.onnx`);
    if (typeof onnx !== 'string') await writeFile(file, onnx);
    const model = await loadModel(await loadRuntime(), { name: 'wine', version: 3, file }, { threads });
    loaded.push(model);
    return model;
  };
  const refusal = async (onnx: Buffer | string): Promise<readonly [kind: string, detail: string]> => {
    const error: unknown = await load(onnx).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof SlipwayError, String(error));
    assert.deepEqual([error.values.model, error.values.version], ['wine', 3]);
    assert.equal(error.category, 'invalid');
    assert.notEqual(errorCatalogue[error.kind].remedy, '');
    return [error.kind, String(error.values.detail)];
  };
  const floats = (shape: readonly number[], ...values: number[]): Tensor => ({
    datatype: 'FP32',
    shape,
    data: Float32Array.from(values),
  });

  it('takes and gives every datatype, its smallest, largest and strangest values included', async () => {
    const longs = [-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n];
    const doubles = [Number.MIN_VALUE, -Number.MAX_VALUE, Number.NaN, -0];
    const values: readonly (readonly [ElementType, Datatype, TensorData])[] = [
      ['bool', 'BOOL', Uint8Array.of(0, 1, 1)],
      ['int8', 'INT8', Int8Array.of(-128, 127)],
      ['int16', 'INT16', Int16Array.of(-32768, 32767)],
      ['int32', 'INT32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
      ['int64', 'INT64', BigInt64Array.from(longs)],
      ['uint8', 'UINT8', Uint8Array.of(0, 255)],
      ['uint16', 'UINT16', Uint16Array.of(0, 65535)],
      ['uint32', 'UINT32', Uint32Array.of(0, 2 ** 32 - 1)],
      ['uint64', 'UINT64', BigUint64Array.of(0n, 2n ** 64n - 1n)],
      ['float16', 'FP16', Uint16Array.of(0x0001, 0x7bff, 0xfc00, 0x7e00)],
      ['float', 'FP32', Float32Array.of(Number.NaN, -0, Number.NEGATIVE_INFINITY, 0.1)],
      ['double', 'FP64', Float64Array.from(doubles)],
      ['string', 'BYTES', ['', 'rosé', '酒 🍷', 'e\u0301\n"']],
    ];
    for (const [element, datatype, data] of values) {
      const onnx = identityModel([{ name: 'x', element, shape: ['rows'] }]);
      const predictor = await createPredictor(await load(onnx), null);
      const tensor: Tensor = { datatype, shape: [data.length], data };
      assert.deepEqual(await predictor.predict([tensor]), [tensor]);
      // Together they run as one batch, of which each gets its own rows.
      const twice = await Promise.all([predictor.predict([tensor]), predictor.predict([tensor])]);
      assert.deepEqual(twice, [[tensor], [tensor]]);
    }
  });

  it('takes scalars, and sizes of zero wherever its shape leaves them open', async () => {
    const shapes = [[], [0], [0, 3], [3, 0], [2, 0, 5], [1, 1, 1, 1, 1, 1, 1]];
    for (const shape of shapes) {
      const open = identityModel([
        { name: 'x', element: 'float', shape: shape.map((_, axis) => `s${axis}`) },
      ]);
      const unknown = identityModel([{ name: 'x', element: 'float', shape: null }]);
      const count = shape.reduce((product, size) => product * size, 1);
      const feed = floats(shape, ...Array.from({ length: count }, (_, index) => index));
      for (const onnx of [open, unknown]) {
        const predictor = await createPredictor(await load(onnx), null);
        assert.deepEqual(await predictor.predict([feed]), [feed]);
      }
    }
    const fixed = await createPredictor(
      await load(identityModel([{ name: 'x', element: 'float', shape: [0, 'n'] }])),
      null,
    );
    assert.deepEqual(await fixed.predict([floats([0, 9])]), [floats([0, 9])]);
    assert.deepEqual(fixed.warnings, []);
  });

  it('says what it is', async () => {
    const long = `A model\n  of ${'wine '.repeat(100)}`;
    const { facts } = await load(talkativeModel(long));
    const value = (name: string) => facts.find((fact) => fact.name === name)?.value;
    assert.deepEqual(
      facts.map(({ name }) => name),
      [
        'opset',
        'IR version',
        'producer',
        'domain',
        'model version',
        'graph',
        'description',
        'metadata author',
        'metadata licence',
      ],
    );
    assert.equal(value('opset'), 'ai.onnx 17, ai.onnx.ml 3');
    assert.equal(value('IR version'), '9');
    assert.equal(value('producer'), 'a writer 1.2.3');
    assert.equal(value('domain'), 'org.example');
    assert.equal(value('model version'), '42');
    assert.equal(value('graph'), 'the graph');
    assert.match(value('description') ?? '', /^A model of wine wine [a-z ]*…$/);
    assert.equal(value('description')?.length, 200);
    assert.equal(value('metadata author'), 'Zoë');
    // A text that is there and empty says nothing: skl2onnx writes its description so.
    const quiet = (await load(talkativeModel(''))).facts;
    assert.ok(quiet.every(({ name }) => name !== 'description'));
    assert.deepEqual((await load(linearModel())).facts, [
      { name: 'opset', value: 'ai.onnx 17, ai.onnx.ml 3' },
      { name: 'IR version', value: '8' },
      { name: 'graph', value: 'fixture' },
    ]);
  });

  it('always takes the values in its file for inputs that have one, and says so', async () => {
    const model = await load(defaultInputModel(8));
    assert.deepEqual(model.fixedInputs, ['b']);
    assert.deepEqual(
      model.inputs.map(({ name }) => name),
      ['x'],
    );
    assert.deepEqual(model.warnings.map(inEnglish), [
      'The runtime always takes the values in the model\'s file for "b"; a request cannot replace them.',
    ]);
    assert.deepEqual(await model.run([floats([1, 2], 1, 2)]), [floats([1, 2], 11, 22)]);
    // Files of the old format declare all weights as inputs, so there it says nothing.
    assert.deepEqual((await load(defaultInputModel(3))).warnings, []);
  });

  it('finds its weights beside it, with its ZipMap taken out as well', async () => {
    const own = join(folder, 'weights');
    await mkdir(own);
    await writeFile(join(own, 'w.bin'), new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
    await writeFile(join(folder, 'outside.bin'), new Uint8Array(16));
    await writeFile(join(own, 'model.onnx'), externalWeightsModel('w.bin'));
    const model = await load(join(own, 'model.onnx'));
    assert.deepEqual(model.outputs, [
      { name: 'probability', datatype: 'FP32', shape: [-1, 2], labels: ['a', 'b'] },
    ]);
    assert.deepEqual(await model.run([floats([1, 2], 1, 10)]), [floats([1, 2], 31, 42)]);
    for (const [location, pattern] of [
      ['missing.bin', /missing\.bin/],
      ['../outside.bin', /escapes model directory/],
    ] as const) {
      await writeFile(join(own, 'other.onnx'), externalWeightsModel(location));
      const [kind, detail] = await refusal(join(own, 'other.onnx'));
      assert.equal(kind, 'modelUnreadable');
      assert.match(detail, pattern);
    }
  });

  it('runs with more threads', async () => {
    const model = await load(linearModel(), 2);
    assert.deepEqual(await model.run([floats([1, 3], 1, 1, 1)]), [floats([1, 1], 6.5)]);
  });

  it('is refused in clear words when its file is something else', async () => {
    const classifier = classifierModel(['a', 'b', 'c']);
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 42\n';
    for (const [content, pattern] of [
      [Buffer.alloc(0), /^the file is empty$/],
      [Buffer.from(pointer), /^the file is a pointer of Git LFS and not the model itself; .*git lfs pull/],
      [Buffer.from('<!DOCTYPE html>\n<title>Sign in</title>'), /^the file is text and no ONNX model$/],
      [Buffer.from('PK\x03\x04rest of a zip archive'), /^the file is a zip archive/],
      [Buffer.from([0x80, 4, 0x95, 1, 2, 3]), /^the file is a Python pickle/],
      [classifier.subarray(0, classifier.length / 2), /^it is cut off/],
      [Buffer.from([8, 8]), /^it holds no graph$/],
    ] as const) {
      const [kind, detail] = await refusal(content);
      assert.equal(kind, 'modelUnreadable');
      assert.match(detail, pattern);
    }
    assert.deepEqual(await refusal(join(folder, 'nothing.onnx')), [
      'modelUnreadable',
      'the file is not there',
    ]);
    const large = join(folder, 'large.onnx');
    await writeFile(large, '');
    await truncate(large, 3e9);
    const [kind, detail] = await refusal(large);
    assert.equal(kind, 'modelUnreadable');
    assert.match(detail, /^it has 3\.0 GB, but an ONNX file may have at most 2 GB; .*external data/);
  });

  it('is refused in clear words when it takes or gives what the runtime cannot carry', async () => {
    const types: Record<string, Buffer> = Object.fromEntries(
      (['bfloat16', 'float8e4m3fn', 'complex64', 'int4'] as const).map((element) => [
        `a tensor of ${element}`,
        identityModel([{ name: 'x', element, shape: ['n'] }]),
      ]),
    );
    for (const [name, type] of Object.entries(otherTypes)) {
      types[name === 'optional' ? 'an optional value' : `a ${name}`] = anyTypeModel(type);
    }
    for (const [title, onnx] of Object.entries(types)) {
      assert.deepEqual(await refusal(onnx), ['modelUnsupported', `its input "x" is ${title}`]);
    }
  });

  it('is served without the outputs that the runtime cannot carry, which is said', async () => {
    for (const [onnx, name, title] of [
      [castModel('bfloat16'), 'cast', 'a tensor of bfloat16'],
      [castModel('float8e4m3fn'), 'cast', 'a tensor of float8e4m3fn'],
      [sequenceModel(), 'list', 'a sequence'],
    ] as const) {
      const model = await load(onnx);
      assert.deepEqual(
        model.outputs.map((output) => output.name),
        ['y'],
      );
      assert.deepEqual(model.warnings.map(inEnglish), [
        `The output "${name}" of the model is ${title}, which is not supported by this runtime, and is left out of answers.`,
      ]);
      const feed = floats([2, 1], 1.5, 2.5);
      assert.deepEqual(await model.run([feed]), [feed]);
    }
  });
});
