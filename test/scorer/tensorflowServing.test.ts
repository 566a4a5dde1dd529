import assert from 'node:assert/strict';
import { elementTexts } from '../../src/scorer/protocols/tensorflowJson.ts';
import { type RunningScorer, removeFolder, temporaryFolder } from './scorerProcess.ts';
import { startTensorflowScorer } from './tensorflowScorer.ts';

describe('TensorFlow Serving and KServe V1 of a scorer', () => {
  let folder: string;
  let scorer: RunningScorer;
  before(async () => {
    folder = await temporaryFolder();
    scorer = await startTensorflowScorer(folder);
  });
  after(async () => {
    await scorer.drain();
    await removeFolder(folder);
  });

  const answer = async (path: string, body: unknown) => {
    const { status, json, text } = await scorer.ask(path, { body });
    assert.equal(status, 200, text);
    return json;
  };
  const text = async (path: string, body: unknown) => (await scorer.ask(path, { body })).text;

  it('is alive to whoever asks, and lists its models', async () => {
    const alive = await fetch(`${scorer.url}/`);
    assert.deepEqual([alive.status, await alive.json()], [200, { status: 'alive' }]);
    assert.deepEqual((await scorer.ask('/v1/models')).json, {
      models: ['a b/ü:x', 'kinds', 'mixed', 'numbers', 'odd', 'scalar', 'texts', 'wine'],
    });
  });

  it('tells the state of a model to clients of both protocols', async () => {
    const available = (version: string) => ({
      version,
      state: 'AVAILABLE',
      status: { error_code: 'OK', error_message: '' },
    });
    const { json } = await scorer.ask('/v1/models/wine');
    assert.deepEqual(json, {
      name: 'wine',
      ready: true,
      model_version_status: [available('4'), available('3')],
    });
    for (const [path, version] of [
      ['/v1/models/wine/versions/3', '3'],
      ['/v1/models/wine/labels/canary', '4'],
      ['/V1/Models/wine/Labels/Staging', '4'],
    ] as const) {
      assert.deepEqual((await scorer.ask(path)).json.model_version_status, [available(version)], path);
    }
  });

  it('answers 404 for what is not loaded and 400 for a version that is no number', async () => {
    for (const [path, status, sentence] of [
      ['/v1/models/beer', 404, /no model "beer".*"wine"/],
      ['/v1/models/wine/versions/9', 404, /no version "9" of "wine".*4, 3/],
      ['/v1/models/wine/labels/champion', 404, /no label "champion" of "wine".*canary, Staging/],
      ['/v1/models/wine/versions/9/metadata', 404, /no version "9"/],
      ['/v1/models/wine/versions/new', 400, /Malformed request.*"new"/],
      ['/v1/models/wine/metadatas', 404, /Malformed request: there is nothing at/],
      ['/v1/models/wine/versions', 404, /nothing/],
      ['/v1/models//versions/3', 404, /nothing/],
      ['/v1/models/wine/versions/3/labels/canary', 404, /nothing/],
      ['/v1/nothing', 404, /nothing/],
    ] as const) {
      const got = await scorer.ask(path);
      assert.equal(got.status, status, path);
      assert.match(got.json.error, sentence);
      assert.deepEqual(Object.keys(got.json), ['error']);
    }
  });

  it('describes its signatures as protobuf writes them', async () => {
    const tensor = (name: string, size: string) => ({
      dtype: 'DT_FLOAT',
      tensor_shape: {
        dim: [
          { size: '-1', name: '' },
          { size, name: '' },
        ],
        unknown_rank: false,
      },
      name: `${name}:0`,
    });
    const { json } = await scorer.ask('/v1/models/wine/versions/3/metadata');
    assert.deepEqual(json.model_spec, { name: 'wine', signature_name: '', version: '3' });
    const { signature_def: signatures } = json.metadata.signature_def;
    assert.deepEqual(Object.keys(signatures), ['serving_default', 'regression']);
    assert.deepEqual(signatures.serving_default, {
      inputs: { x: tensor('x', '3') },
      outputs: { y: tensor('y', '1') },
      method_name: 'tensorflow/serving/predict',
      defaults: {},
    });
    const kinds = (await scorer.ask('/v1/models/kinds/metadata')).json.metadata.signature_def.signature_def;
    assert.equal(kinds.classification.method_name, 'tensorflow/serving/classify');
    assert.equal(kinds.classification.outputs.classes.dtype, 'DT_STRING');
  });

  describe(':predict', () => {
    const rows = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const predict = '/v1/models/wine:predict';

    it('answers rows by predictions and columns by outputs, without the name of the only tensor', async () => {
      const predictions = { predictions: [[14.5], [32.5]] };
      const outputs = { outputs: [[14.5], [32.5]] };
      assert.deepEqual(await answer(predict, { instances: rows }), predictions);
      assert.deepEqual(await answer(predict, { instances: rows.map((x) => ({ x })) }), predictions);
      assert.deepEqual(await answer(predict, { inputs: rows }), outputs);
      assert.deepEqual(await answer(predict, { inputs: { x: rows } }), outputs);
      assert.deepEqual(
        await answer(predict, { signature_name: 'serving_default', inputs: { x: rows, other: 1 } }),
        outputs,
      );
    });

    it('takes the columns of a table by name', async () => {
      const records = [
        { salt: 3, acid: 1, sugar: 2 },
        { acid: 4, sugar: [5], salt: 6 },
      ];
      assert.deepEqual(await answer(predict, { instances: records }), { predictions: [[14.5], [32.5]] });
      const inputs = { salt: [3, 6], acid: [1, 4], sugar: [2, 5] };
      assert.deepEqual(await answer(predict, { inputs }), { outputs: [[14.5], [32.5]] });
    });

    it('answers several tensors as objects', async () => {
      const instances = [
        { acid: [0.5], count: [3], colour: ['red'] },
        { acid: [null], count: ['-9223372036854775808'], colour: [{ b64: 'cm9zw6k=' }] },
      ];
      const expected =
        '{"predictions":[{"acid_out":[0.5],"count_out":[3],"colour_out":["red"]},' +
        '{"acid_out":[null],"count_out":[-9223372036854775808],"colour_out":["rosé"]}]}';
      assert.equal(await text('/v1/models/mixed:predict', { instances }), expected);
      const bare = instances.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, [value]]) => [name, value])),
      );
      assert.equal(await text('/v1/models/mixed:predict', { instances: bare }), expected);
      const column = { acid: [[0.5]], count: [[3]], colour: [['red']] };
      const outputs = { outputs: { acid_out: [[0.5]], count_out: [[3]], colour_out: [['red']] } };
      assert.deepEqual(await answer('/v1/models/mixed:predict', { inputs: column }), outputs);
      const bareColumn = { acid: [0.5], count: [3], colour: ['red'] };
      assert.deepEqual(await answer('/v1/models/mixed:predict', { inputs: bareColumn }), outputs);
    });

    it('writes decimals, truths, halves and binary texts as TensorFlow Serving does', async () => {
      assert.equal(
        await text('/v1/models/odd:predict', {
          instances: [{ raw_bytes: { b64: 'aGk=' }, ok: true, half: [1, 0.1] }],
        }),
        '{"predictions":[{"raw_bytes_out":"hi","ok_out":true,"half_out":[1.0,0.0999755859375]}]}',
      );
      assert.equal(
        await text(predict, {
          instances: [
            [0.1, 0, 0],
            [-0.5, 0, 0],
          ],
        }),
        '{"predictions":[[0.6],[0.0]]}',
      );
    });

    it('writes texts of an output whose name ends in _bytes in base64', () => {
      const texts = { datatype: 'BYTES', shape: [1], data: ['rosé'] } as const;
      assert.equal(elementTexts('image_bytes', { ...texts, data: [...texts.data] })(0), '{"b64":"cm9zw6k="}');
      assert.equal(elementTexts('bytes_image', { ...texts, data: [...texts.data] })(0), '"rosé"');
    });

    it('takes scalars and lists of bare texts', async () => {
      assert.deepEqual(await answer('/v1/models/scalar:predict', { inputs: 7 }), { outputs: 7 });
      assert.deepEqual(await answer('/v1/models/texts:predict', { instances: ['foo', { b64: 'YmFy' }] }), {
        predictions: ['foo', 'bar'],
      });
      const { status, json } = await scorer.ask('/v1/models/scalar:predict', { body: { inputs: [7] } });
      assert.equal(status, 400);
      assert.match(json.error, /"x": expected shape \[\], got \[1\]/);
    });

    it('takes NaN and Infinity as Python writes them, and answers valid JSON', async () => {
      const body =
        '{"instances": [[NaN, 0, 0], [Infinity, 0, 0], [-Infinity, 0, 0], ["NaN", 0, 0]], "x": "NaN\\""}';
      assert.equal(await text(predict, body), '{"predictions":[[null],["Infinity"],["-Infinity"],[null]]}');
    });

    it('gives the scores of a classifier as a tensor', async () => {
      assert.deepEqual(await answer('/v1/models/numbers:predict', { instances: [[1, 2]] }), {
        predictions: [{ label: 20, probability: [1, 2, -3] }],
      });
    });

    it('finds versions and labels, words in capitals, and encoded names', async () => {
      for (const path of [
        '/v1/models/wine/versions/3:predict',
        '/v1/models/wine/labels/canary:predict',
        '/V1/MODELS/wine/VERSIONS/4:PREDICT',
        `/v1/models/${encodeURIComponent('a b/ü:x')}:predict`,
      ]) {
        assert.deepEqual(await answer(path, { instances: [[1, 2, 3]] }), { predictions: [[14.5]] }, path);
      }
      const { headers } = await scorer.ask(predict, {
        body: { instances: [[1, 2, 3]] },
        headers: { 'x-request-id': 'seven' },
      });
      assert.equal(headers.get('x-request-id'), 'seven');
    });

    const refused: readonly [string, string, unknown, RegExp][] = [
      ['both keys', 'wine', { instances: [], inputs: [] }, /only one of the keys/],
      ['neither key', 'wine', { examples: [] }, /Missing 'inputs' or 'instances' key/],
      ['no instance', 'wine', { instances: [] }, /No values in 'instances'/],
      ['no list', 'wine', { instances: 3 }, /Expecting 'instances' to be a list, got 3/],
      ['a mix', 'wine', { instances: [[1, 2, 3], { x: [1, 2, 3] }] }, /but got an object at item 1/],
      ['another mix', 'wine', { instances: [{ x: [1, 2, 3] }, 1] }, /but got 1 at item 1/],
      [
        'other keys',
        'wine',
        { instances: [{ acid: 1 }] },
        /element: 0 .*equal to: acid, sugar, salt; got acid/,
      ],
      ['wrong width', 'wine', { instances: [[1, 2]] }, /"x": expected shape \[any, 3\], got \[1, 2\]/],
      ['ragged rows', 'wine', { instances: [[1, 2, 3], [1]] }, /has 1 elements/],
      ['text for a number', 'wine', { instances: [['1', 2, 3]] }, /expected a number \(FP32\), got "1"/],
      [
        'a plain list for many inputs',
        'mixed',
        { instances: [[1]] },
        /has several inputs: acid, count, colour/,
      ],
      ['a plain value for many inputs', 'mixed', { inputs: [[1]] }, /has several inputs/],
      ['a missing input', 'odd', { inputs: { ok: [true] } }, /Missing named input: raw_bytes/],
      ['no base64', 'texts', { instances: [{ b64: '?' }] }, /"\?" is not formatted correctly for base64/],
      ['no UTF-8', 'texts', { instances: [{ b64: '/w==' }] }, /not valid UTF-8/],
      ['an unknown signature', 'wine', { signature_name: 'x', inputs: [] }, /"x" not found in signature def/],
      ['a signature that is no text', 'wine', { signature_name: 3 }, /must be a string value, got 3/],
      ['rows of an output without', 'scalar', { instances: [1] }, /"x": expected shape \[\], got \[1\]/],
      ['no JSON', 'wine', '{"instances": [NaN,]}', /not valid JSON/],
      ['no object', 'wine', [], /must be a JSON object/],
      ['nothing', 'wine', '', /not valid JSON/],
    ];
    for (const [name, model, body, sentence] of refused) {
      it(`refuses ${name} with 400 and a sentence`, async () => {
        const { status, json } = await scorer.ask(`/v1/models/${model}:predict`, { body });
        assert.equal(status, 400);
        assert.match(json.error, sentence);
      });
    }
  });

  it('answers 405 for a wrong method and 501 for what only an explainer could tell', async () => {
    assert.equal((await scorer.ask('/v1/models/wine:predict')).status, 405);
    assert.equal((await scorer.ask('/v1/models/wine', { body: {} })).status, 405);
    const { status, json } = await scorer.ask('/v1/models/wine:explain', { body: { instances: [] } });
    assert.equal(status, 501);
    assert.match(json.error, /"wine" has no explainer/);
  });
});
