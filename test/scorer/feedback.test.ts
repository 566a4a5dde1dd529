import assert from 'node:assert/strict';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { linearModel } from '../fixtures/onnxFile.ts';
import { readLog } from './inferenceLogRows.ts';
import { type RunningScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

describe('Feedback to a scorer', () => {
  let folder: string;
  let file: string;
  let scorer: RunningScorer;
  before(async () => {
    folder = await temporaryFolder();
    file = join(folder, 'log.db');
    scorer = await startScorerProcess(folder, linearModel(), { inferenceLog: file });
  });
  after(async () => {
    await removeFolder(folder);
  });

  const send = (body: unknown) => scorer.ask('/v2/feedback', { body });

  const refused: readonly [string, unknown, RegExp][] = [
    ['no JSON', '{', /not valid JSON/],
    ['no object', 3, /must be an object, got 3/],
    ['no request id', { reward: 1 }, /"request_id" must be a string of 1 to 256 characters, got nothing/],
    ['an empty request id', { request_id: '', reward: 1 }, /got ""/],
    ['a long request id', { request_id: 'x'.repeat(257), reward: 1 }, /1 to 256/],
    ['neither truth nor reward', { request_id: 'a', truth: null }, /neither "truth" nor "reward"/],
    ['a reward that is none', { request_id: 'a', reward: '1' }, /"reward" must be a finite number, got "1"/],
    ['an infinite reward', '{"request_id": "a", "reward": 1e999}', /finite number/],
    ['a truth that is no list', { request_id: 'a', truth: 1 }, /"truth" must be a list/],
    ['a misspelt member', { request_id: 'a', reward: 1, truths: [] }, /"truths" is not understood/],
    ['one wrong of many', [{ request_id: 'a', reward: 1 }, {}], /Feedback 1: "request_id"/],
  ];
  for (const [name, body, sentence] of refused) {
    it(`refuses ${name} with 400 and a sentence`, async () => {
      const { status, json } = await send(body);
      assert.equal(status, 400);
      assert.match(json.error, sentence);
    });
  }

  it('asks for the token, and for POST', async () => {
    assert.equal((await fetch(`${scorer.url}/v2/feedback`, { method: 'POST', body: '{}' })).status, 401);
    assert.equal((await scorer.ask('/v2/feedback')).status, 405);
    assert.equal((await scorer.ask('/v2/feedback/more', { body: {} })).status, 404);
  });

  it('keeps what it took in the log, and nothing of what it refused', async () => {
    const before = Date.now();
    const one = await send({ request_id: 'one', truth: [1, 'red', [2], null] });
    assert.deepEqual([one.status, one.json], [202, { accepted: 1 }]);
    const many = await send([
      { request_id: 'two', reward: -0.5 },
      { request_id: 'three', truth: [true], reward: 2 },
    ]);
    assert.deepEqual([many.status, many.json], [202, { accepted: 2 }]);
    assert.deepEqual((await send([])).json, { accepted: 0 });
    await scorer.drain();
    const database = new BetterSqlite3(file, { readonly: true });
    const rows = database.prepare<[], { received_at: number }>('SELECT * FROM feedback ORDER BY id').all();
    database.close();
    const requests = readLog(file).length;
    assert.deepEqual(
      rows.map(({ received_at, ...row }) => ({
        ...row,
        isNow: received_at >= before && received_at <= Date.now(),
      })),
      [
        { id: 1, request_id: 'one', truth: '[1,"red",[2],null]', reward: null, isNow: true },
        { id: 2, request_id: 'two', truth: null, reward: -0.5, isNow: true },
        { id: 3, request_id: 'three', truth: '[true]', reward: 2, isNow: true },
      ],
    );
    assert.equal(requests, 0);
  });

  it('answers 503 when the endpoint keeps no log', async () => {
    const forgetful = await startScorerProcess(folder, linearModel());
    const { status, json } = await forgetful.ask('/v2/feedback', { body: { request_id: 'a', reward: 1 } });
    assert.equal(status, 503);
    assert.match(json.error, /keeps no inference log/);
    await forgetful.drain();
  });
});
