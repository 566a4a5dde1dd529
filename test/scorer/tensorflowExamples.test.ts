import assert from 'node:assert/strict';
import { type RunningScorer, removeFolder, temporaryFolder } from './scorerProcess.ts';
import { startTensorflowScorer } from './tensorflowScorer.ts';

describe('Classify and regress of a scorer', () => {
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

  it('gives the labels and scores of each example', async () => {
    const body = { context: { x: [1, 2] }, examples: [{}, {}] };
    const one = [
      ['a', 1],
      ['b', 2],
      ['c', -3],
    ];
    assert.deepEqual(await answer('/v1/models/kinds:classify', body), { results: [one, one] });
    assert.equal(
      await text('/v1/models/numbers:classify', {
        signature_name: 'classification',
        examples: [{ x: [1, 2] }],
      }),
      '{"results":[[["10",1.0],["20",2.0],["30",-3.0]]]}',
    );
    assert.deepEqual(await answer('/v1/models/texts:classify', { examples: [{ text: 'hi' }] }), {
      results: [[['hi', 0]]],
    });
  });

  it('gives one number for each example, by tensor or by column', async () => {
    const named = { context: { salt: 3 }, examples: [{ acid: [1], sugar: 2, more: 'x' }] };
    assert.equal(await text('/v1/models/wine:regress', named), '{"results":[14.5]}');
    const tensors = { examples: [{ x: [1, 2, 3] }, { x: [4, 5, 6] }] };
    assert.equal(await text('/v1/models/wine/versions/3:regress', tensors), '{"results":[14.5,32.5]}');
  });

  const refused: readonly [string, string, unknown, RegExp][] = [
    ['no examples', 'kinds:classify', {}, /'examples' is expected and was not found/],
    ['an empty list', 'kinds:classify', { examples: [] }, /'examples' value is an empty list/],
    ['no list', 'wine:regress', { examples: {} }, /Expecting 'examples' to be a list/],
    [
      'no object',
      'wine:regress',
      { examples: [[1]] },
      /Example must be JSON object but got a list of 1 at item 0/,
    ],
    [
      'a missing feature',
      'wine:regress',
      { examples: [{ acid: 1 }] },
      /feature "sugar" is missing in example 0/,
    ],
    ['a deep feature', 'kinds:classify', { examples: [{ x: [[1, 2]] }] }, /unexpected JSON type/],
    [
      'a feature in both',
      'wine:regress',
      { context: { acid: 1 }, examples: [{ acid: 1 }] },
      /"acid" is in 'context' and must not appear in example 0/,
    ],
    ['no classes', 'wine:classify', { examples: [{ x: [1, 2, 3] }] }, /tells no classes/],
    ['no number', 'kinds:regress', { examples: [{ x: [1, 2] }] }, /does not tell one number/],
    [
      'the signature of another method',
      'kinds:regress',
      { signature_name: 'classification', examples: [] },
      /method_name to be tensorflow\/serving\/regress. Was: tensorflow\/serving\/classify/,
    ],
  ];
  for (const [name, path, body, sentence] of refused) {
    it(`refuses ${name} with 400 and a sentence`, async () => {
      const { status, json } = await scorer.ask(`/v1/models/${path}`, { body });
      assert.equal(status, 400);
      assert.match(json.error, sentence);
    });
  }
});
