import assert from 'node:assert/strict';
import fc from 'fast-check';
import { classifierModel, identityModel, linearModel, sequenceModel } from '../fixtures/onnxFile.ts';
import { type RunningScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

const infer = '/v2/models/wine/infer';

describe('The Open Inference Protocol of a scorer', () => {
  let folder: string;
  let linear: RunningScorer;
  before(async () => {
    folder = await temporaryFolder();
    linear = await startScorerProcess(folder, linearModel());
  });
  after(async () => {
    await linear.drain();
    await removeFolder(folder);
  });

  const tensor = (change: object = {}) => ({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 3], data: [1, 2, 3, 4, 5, 6], ...change }],
  });

  it('tells of the server, its health and its model', async () => {
    assert.deepEqual((await linear.ask('/v2')).json.name, 'slipway');
    assert.deepEqual((await linear.ask('/v2/health/live')).json, { live: true });
    assert.deepEqual((await linear.ask('/v2/health/ready')).json, { ready: true });
    assert.deepEqual((await linear.ask('/v2/models')).json, { models: ['wine'] });
    assert.deepEqual((await linear.ask('/v2/models/wine/ready')).json, { name: 'wine', ready: true });
    const metadata = {
      name: 'wine',
      versions: ['3'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
    };
    assert.deepEqual((await linear.ask('/v2/models/wine')).json, metadata);
    assert.deepEqual((await linear.ask('/v2/models/wine/versions/3')).json, metadata);
  });

  it('takes inputs and gives outputs by their names, in whichever order', async () => {
    const names = ['first', 'second', 'third'];
    const values = names.map((name) => ({ name, element: 'float', shape: ['rows'] }) as const);
    const scorer = await startScorerProcess(folder, identityModel(values));
    const inputs = names.map((name, index) => ({ name, datatype: 'FP32', shape: [1], data: [index] }));
    const ask = async (body: object): Promise<object> => {
      const { outputs } = (await scorer.ask(infer, { body })).json;
      return Object.fromEntries(
        outputs.map(({ name, data }: { name: string; data: number[] }) => [name, data[0]]),
      );
    };
    const expected = { first_out: 0, second_out: 1, third_out: 2 };
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [0, 2, 1],
    ]) {
      assert.deepEqual(await ask({ inputs: order.map((index) => inputs[index]) }), expected);
    }
    const wished = await ask({ inputs, outputs: [{ name: 'third_out' }, { name: 'first_out' }] });
    assert.deepEqual(Object.entries(wished), [
      ['third_out', 2],
      ['first_out', 0],
    ]);
    const [first, second] = inputs;
    const refused = await scorer.ask(infer, { body: { inputs: [first, second, first] } });
    assert.match(refused.json.error, /Input "first" appears twice/);
    const lacking = await scorer.ask(infer, { body: { inputs: [first, second] } });
    assert.match(lacking.json.error, /Input "third" is missing/);
    await scorer.drain();
  });

  it('predicts from flat and from nested data, and echoes the id', async () => {
    for (const data of [
      [1, 2, 3, 4, 5, 6],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ]) {
      const { status, json, headers } = await linear.ask(infer, {
        body: { id: 'seven', ...tensor({ data }) },
      });
      assert.equal(status, 200);
      assert.deepEqual(json, {
        model_name: 'wine',
        model_version: '3',
        id: 'seven',
        outputs: [{ name: 'y', shape: [2, 1], datatype: 'FP32', data: [14.5, 32.5] }],
      });
      assert.equal(headers.get('x-request-id'), 'seven');
    }
  });

  it('gives an id only where the client gave one, and takes null for what is left out', async () => {
    const { json, headers } = await linear.ask(infer, {
      body: { id: null, parameters: null, outputs: null, ...tensor({ parameters: null }) },
    });
    assert.deepEqual(Object.keys(json), ['model_name', 'model_version', 'outputs']);
    assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f]{32}$/);
    const empty = await linear.ask(infer, { body: { id: '', ...tensor() } });
    assert.equal(empty.json.id, '');
    assert.match(empty.headers.get('x-request-id') ?? '', /^[0-9a-f]{32}$/);
  });

  it('accepts its own example request', async () => {
    assert.equal((await linear.ask(infer, { body: linear.version.exampleRequest })).status, 200);
  });

  it('answers no rows for no rows', async () => {
    const { json } = await linear.ask(infer, { body: tensor({ shape: [0, 3], data: [] }) });
    assert.deepEqual(json.outputs[0], { name: 'y', shape: [0, 1], datatype: 'FP32', data: [] });
  });

  it('gives only the outputs that were asked for', async () => {
    const scorer = await startScorerProcess(folder, classifierModel(['a', 'b', 'c']));
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }];
    const one = await scorer.ask(infer, { body: { inputs, outputs: [{ name: 'label' }] } });
    assert.deepEqual(one.json.outputs, [{ name: 'label', shape: [1], datatype: 'BYTES', data: ['b'] }]);
    const none = await scorer.ask(infer, { body: { inputs, outputs: [{ name: 'nope' }] } });
    assert.equal(none.status, 400);
    assert.match(none.json.error, /no output "nope".*label, probability/);
    await scorer.drain();
  });

  for (const labels of [
    ['a', 'b', 'c'],
    [10, 20, -30],
  ] as const) {
    it(`gives the scores of a classifier with ${typeof labels[0]} labels as a tensor with its labels`, async () => {
      const scorer = await startScorerProcess(folder, classifierModel(labels));
      const inputs = [{ name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2, -3, -4] }];
      const { json } = await scorer.ask(infer, { body: { inputs } });
      assert.deepEqual(json.outputs[0].data, [labels[1], labels[2]]);
      assert.deepEqual(json.outputs[1], {
        name: 'probability',
        shape: [2, 3],
        datatype: 'FP32',
        parameters: { class_labels: JSON.stringify(labels) },
        data: [1, 2, -3, -3, -4, 7],
      });
      await scorer.drain();
    });
  }

  it('leaves out an output that is no tensor, and says so', async () => {
    const scorer = await startScorerProcess(folder, sequenceModel());
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [5] }];
    const { json } = await scorer.ask(infer, { body: { inputs } });
    assert.deepEqual(json.outputs, [{ name: 'y', shape: [1, 1], datatype: 'FP32', data: [5] }]);
    const warnings = scorer.messages.filter((message) => message.type === 'warning');
    assert.match(warnings[0]?.message ?? '', /output "list".*left out/);
    await scorer.drain();
  });

  describe('refuses with 400 and a sentence that names the field', () => {
    const cases: readonly [string, unknown, RegExp][] = [
      ['no JSON', '{"inputs": [', /not valid JSON/],
      ['NaN, which is no JSON', '{"inputs": [NaN]}', /send null for NaN/],
      ['a list', [], /must be a JSON object/],
      ['no inputs', {}, /"inputs" must be a list/],
      ['no name', { inputs: [{ datatype: 'FP32' }] }, /"inputs\[0\]" must be an object with a "name"/],
      ['an unknown input', tensor({ name: 'z' }), /no input "z".*Its inputs: x/],
      ['a missing input', { inputs: [] }, /Input "x" is missing/],
      ['an input twice', { inputs: [...tensor().inputs, ...tensor().inputs] }, /Input "x" appears twice/],
      ['a wrong datatype', tensor({ datatype: 'FP64' }), /Input "x": expected datatype FP32, got "FP64"/],
      ['no shape', tensor({ shape: 'many' }), /Input "x": "shape" must be/],
      ['a negative shape', tensor({ shape: [-1, 3] }), /Input "x": "shape" must be/],
      ['a wrong rank', tensor({ shape: [6] }), /Input "x": expected shape \[any, 3\], got \[6\]/],
      ['a wrong width', tensor({ shape: [3, 2] }), /Input "x": expected shape \[any, 3\], got \[3, 2\]/],
      [
        'too little data',
        tensor({ data: [1] }),
        /Input "x": shape \[2, 3\] takes 6 elements, but data has 1/,
      ],
      ['no data', tensor({ data: undefined }), /Input "x": "data" is missing/],
      [
        'ragged rows',
        tensor({
          data: [
            [1, 2, 3],
            [4, 5],
          ],
        }),
        /Input "x": data\[1\] has 2 elements, but shape \[2, 3\] says 3/,
      ],
      ['mixed nesting', tensor({ data: [[1, 2, 3], 4] }), /Input "x": data\[1\] must be a list of 3, got 4/],
      [
        'text for a number',
        tensor({ data: [1, 2, 3, 4, 'five', 6] }),
        /"x", element \[1, 1\]: expected a number.*"five"/,
      ],
      ['a number as id', { id: 5, ...tensor() }, /"id" must be a string/],
      [
        'a shape that asks for memory',
        tensor({ shape: [1e15, 3], data: [1] }),
        /takes 3000000000000000 elements/,
      ],
    ];
    for (const [title, body, message] of cases) {
      it(title, async () => {
        const { status, json } = await linear.ask(infer, { body });
        assert.equal(status, 400);
        assert.match(json.error, message);
        assert.deepEqual(Object.keys(json), ['error']);
      });
    }

    it('parameters that are no strings, numbers or truths', async () => {
      const nested = { ...tensor(), parameters: { binary_data_output: 'yes' } };
      const answer = await linear.ask(infer, { body: nested });
      assert.equal(answer.status, 400);
      assert.match(answer.json.error, /binary_data_output" must be true or false, got "yes"/);
      for (const body of [
        { ...tensor(), parameters: [] },
        { ...tensor(), parameters: { key: {} } },
        tensor({ parameters: 'none' }),
        { ...tensor(), outputs: [{ name: 'y', parameters: { binary_data: 1 } }] },
        { ...tensor(), outputs: [{ name: 'y', parameters: { classification: -1 } }] },
        { ...tensor(), outputs: [{ name: 'y' }, { name: 'y' }] },
        tensor({ parameters: { shared_memory_region: 'region' } }),
      ]) {
        assert.equal((await linear.ask(infer, { body })).status, 400, JSON.stringify(body));
      }
    });

    it('anything at all, and never fails itself', async function () {
      this.timeout(30_000);
      const json = fc.jsonValue({ maxDepth: 4 });
      const shaped = fc.record(
        {
          name: fc.oneof(fc.constant('x'), json),
          datatype: fc.oneof(fc.constant('FP32'), json),
          shape: fc.oneof(fc.constantFrom([2, 3], [1, 3], [0, 3], [2, 0]), json),
          data: fc.oneof(fc.array(fc.oneof(fc.float(), json), { maxLength: 7 }), json),
        },
        { requiredKeys: [] },
      );
      const request = fc.oneof(
        json,
        fc.record({ inputs: fc.oneof(json, fc.array(shaped, { maxLength: 2 })) }),
      );
      await fc.assert(
        fc.asyncProperty(request, async (body) => {
          const answer = await linear.ask(infer, { body: JSON.stringify(body) });
          assert.ok(answer.status === 200 || answer.status === 400, `${answer.status} ${answer.text}`);
          if (answer.status === 400) assert.doesNotMatch(answer.json.error, /\bat .*:\d+:\d+/);
        }),
        { numRuns: 300 },
      );
    });
  });
});
