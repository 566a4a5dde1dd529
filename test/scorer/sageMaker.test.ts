import assert from 'node:assert/strict';
import { identityModel, linearModel } from '../fixtures/onnxFile.ts';
import {
  modelFile,
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from './scorerProcess.ts';

describe("SageMaker's contract of a scorer", () => {
  let folder: string;
  let scorer: RunningScorer;
  before(async () => {
    folder = await temporaryFolder();
    const onnx = async (model: Buffer) => ({ type: 'onnx' as const, file: await modelFile(folder, model) });
    const other = identityModel([{ name: 'v', element: 'float', shape: ['rows', 1] }]);
    scorer = await startScorerProcess(folder, linearModel(), {
      columns: ['acid', 'sugar', 'salt'],
      models: [
        { name: 'wine', version: 5, source: await onnx(linearModel()), columns: ['acid', 'sugar', 'salt'] },
        { name: 'other/ü', version: 1, source: await onnx(other) },
      ],
      traffic: [
        {
          model: 'wine',
          salt: '',
          variants: [
            { name: 'stable', version: 3, share: 0.999999 },
            { name: 'candidate', version: 5, share: 0.000001 },
          ],
        },
      ],
    });
  });
  after(async () => {
    await scorer.drain();
    await removeFolder(folder);
  });

  const row = { dataframe_split: { columns: ['acid', 'sugar', 'salt'], data: [[1, 2, 3]] } };
  const invoke = (body: unknown, headers: Record<string, string> = {}, path = '/invocations') =>
    scorer.ask(path, { body, headers });

  it('leads to the variant and to the model that a request targets', async () => {
    for (const variant of ['stable', 'candidate']) {
      const { headers } = await invoke(row, { 'X-Amzn-SageMaker-Target-Variant': variant });
      assert.equal(headers.get('x-slipway-variant'), variant);
    }
    for (const target of ['wine', '/wine.tar.gz', 'wine.tar.gz']) {
      const { json } = await invoke(row, { 'X-Amzn-SageMaker-Target-Model': target });
      assert.deepEqual(json.predictions, [{ y: 14.5 }], target);
    }
    const { status, json } = await invoke(row, { 'X-Amzn-SageMaker-Target-Model': '../../etc/passwd' });
    assert.equal(status, 404);
    assert.equal(json.error_code, 'ENDPOINT_NOT_FOUND');
    assert.match(
      json.message,
      /no model "..\/..\/etc\/passwd" here; this endpoint serves "other\/ü", "wine"/,
    );
  });

  it('gives custom attributes and the inference id back', async () => {
    const { headers } = await invoke(row, {
      'X-Amzn-SageMaker-Custom-Attributes': 'trace=seven; who="me"',
      'X-Amzn-SageMaker-Inference-Id': 'eight',
    });
    assert.equal(headers.get('x-amzn-sagemaker-custom-attributes'), 'trace=seven; who="me"');
    assert.equal(headers.get('x-request-id'), 'eight');
    const long = await invoke(row, { 'X-Amzn-SageMaker-Custom-Attributes': 'a'.repeat(1025) });
    assert.deepEqual([long.status, long.headers.get('x-amzn-sagemaker-custom-attributes')], [200, null]);
  });

  it('takes JSON lines and gives them, unless the client accepts JSON', async () => {
    const expected = '{"y":14.5}\n{"y":32.5}\n';
    for (const lines of [
      '{"acid": 1, "sugar": 2, "salt": 3}\n{"salt": 6, "acid": 4, "sugar": 5}\n',
      '[1, 2, 3]\r\n\n[4, 5, 6]',
      '{"features": [1, 2, 3]}\n{"features": [4, 5, 6]}\n',
    ]) {
      const { text, headers } = await invoke(lines, { 'content-type': 'application/jsonlines' });
      assert.equal(text, expected);
      assert.equal(headers.get('content-type'), 'application/jsonlines');
      const json = await invoke(lines, {
        'content-type': 'application/jsonlines',
        accept: 'application/json',
      });
      assert.deepEqual(json.json, { predictions: [{ y: 14.5 }, { y: 32.5 }] });
    }
    assert.equal((await invoke(row, { accept: 'application/jsonlines' })).text, '{"y":14.5}\n');
    const nan = await invoke('{"acid": NaN, "sugar": 2, "salt": 3}', {
      'content-type': 'application/jsonlines',
    });
    assert.equal(nan.text, '{"y":null}\n');
    for (const [lines, sentence] of [
      ['{"acid": 1', /not valid JSON/],
      ['3\n', /"lines" must be a list of objects/],
      ['[1, 2, 3]\n{"acid": 1}', /"lines" must be a list of objects/],
      ['[1, 2]\n', /takes 3 columns, but the request has 2/],
    ] as const) {
      const { status, json } = await invoke(lines, { 'content-type': 'application/jsonlines' });
      assert.equal(status, 400, lines);
      assert.match(json.message, sentence);
    }
  });

  it('lists and describes the models without a path, by pages', async () => {
    const wine = { modelName: 'wine', modelUrl: 'models:/wine/3' };
    const other = { modelName: 'other/ü', modelUrl: 'models:/other%2F%C3%BC/1' };
    assert.deepEqual((await scorer.ask('/models')).json, { models: [other, wine] });
    const first = (await scorer.ask('/models?limit=1')).json;
    assert.deepEqual(first, { models: [other], nextPageToken: '1' });
    const second = (await scorer.ask(`/models?limit=1&next_page_token=${first.nextPageToken}`)).json;
    assert.deepEqual(second, { models: [wine] });
    assert.equal((await scorer.ask('/models?next_page_token=x')).status, 400);
    assert.deepEqual((await scorer.ask('/models/wine')).json, wine);
    assert.equal((await scorer.ask('/models/beer')).status, 404);
    assert.equal((await scorer.ask('/models/')).status, 404);
  });

  it('invokes a model by its name', async () => {
    const body = { inputs: [[7]] };
    const { json } = await invoke(body, {}, `/models/${encodeURIComponent('other/ü')}/invoke`);
    assert.deepEqual(json, { predictions: { v_out: [[7]] } });
    // There the target is the name that the caller knows the model by, and decides nothing.
    const target = { 'X-Amzn-SageMaker-Target-Model': 'anything.tar.gz' };
    assert.deepEqual((await invoke(row, target, '/models/wine/invoke')).json, { predictions: [{ y: 14.5 }] });
    assert.equal((await invoke(row, {}, '/models/beer/invoke')).status, 404);
  });

  it('refuses to load and unload models', async () => {
    const load = (name: unknown) => scorer.ask('/models', { body: { model_name: name, url: '/etc' } });
    assert.equal((await load('wine')).status, 409);
    assert.equal((await load('beer')).status, 501);
    assert.equal((await load(3)).status, 400);
    assert.equal((await scorer.ask('/models/wine', { method: 'DELETE' })).status, 405);
  });
});
