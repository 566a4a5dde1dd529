import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { inferenceLogFile, storeLayout } from '../../src/engine/layout.ts';
import { say } from '../../src/protocol/servingSentences.ts';
import { readLog } from '../scorer/inferenceLogRows.ts';
import { endLeftProcesses } from './leftProcesses.ts';
import { openServedStage, type RolloutStage } from './rolloutStage.ts';
import { end, openParams, rejectsWithKind, startEngine } from './rpcEngine.ts';

describe('An endpoint is deleted', function () {
  this.timeout(120_000);
  let stage: RolloutStage;
  beforeEach(async () => {
    stage = await openServedStage();
  });
  afterEach(async () => {
    await endLeftProcesses();
    await stage.close();
  });

  const serving = () => stage.engine().serving;
  const names = () =>
    serving()
      .endpoints()
      .map(({ name }) => name);
  const trail = () =>
    serving()
      .events('wine', 100)
      .map(({ kind, said }) => `${kind}: ${say(said)}`);
  const logFile = () => inferenceLogFile(storeLayout(stage.workspace), 'wine');
  const logParts = () =>
    readdirSync(storeLayout(stage.workspace).inference).filter((name) => name.startsWith('wine.db'));
  const start = (modelVersion: number) => serving().start({ modelName: 'wine', modelVersion, port: null });

  it('while it is asked: what it accepted is answered, and then nobody answers', async () => {
    const { url } = serving().describe('wine').endpoint;
    const answers = Array.from({ length: 40 }, () => stage.ask());
    await Promise.race(answers);
    await serving().delete('wine', 'keep');
    const outcomes = await Promise.allSettled(answers);
    // One that had no connection yet is refused; none is cut off half way.
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') assert.equal(outcome.value.status, 200);
      else assert.equal(outcome.reason.cause?.code, 'ECONNREFUSED');
    }
    const answered = outcomes.filter(({ status }) => status === 'fulfilled').length;
    assert.ok(answered > 0);
    await assert.rejects(fetch(`${url}/ping`));
    assert.equal(readLog(logFile()).length, answered, 'its log is whole');
    assert.throws(() => serving().endpoint('wine'), { kind: 'notFound' });
    await assert.rejects(serving().delete('wine', 'keep'), { kind: 'notFound' });
  });

  it('for good: the next engine has its audit trail and its log, and nothing else of it', async () => {
    assert.equal((await stage.ask()).status, 200);
    await serving().startRollout({
      endpoint: 'wine',
      modelVersion: 2,
      plan: { steps: [{ share: 50, hold: '1h' }] },
      who: 'Ana',
    });
    await serving().delete('wine', 'keep');
    await stage.reopen();
    assert.deepEqual(names(), []);
    assert.ok(existsSync(logFile()));
    const [deleted = '', ended = ''] = trail();
    assert.match(deleted, /^deleted: \S+ deleted the endpoint\. It answers no more\.$/);
    assert.match(ended, /^rolledBack: .*deleted the endpoint\.$/);
    assert.equal(stage.engine().registry.versions('wine').length, 2);
  });

  it('over JSON-RPC', async () => {
    await serving().stop('wine');
    await stage.engine().close();
    const engine = startEngine();
    try {
      await engine.request('engine/open', openParams(stage.workspace));
      await engine.request('serving/start', { modelName: 'wine', modelVersion: 1, port: null });
      assert.equal(await engine.request('serving/delete', { endpoint: 'wine', log: 'delete' }), null);
      assert.deepEqual(await engine.request('serving/endpoints', {}), []);
      const [last] = await engine.request('serving/events', { endpoint: 'wine', limit: 1 });
      assert.equal(last?.kind, 'deleted');
      await rejectsWithKind(engine.request('serving/delete', { endpoint: 'wine', log: 'keep' }), 'notFound');
    } finally {
      await end(engine);
    }
    await stage.reopen();
  });

  it('with its log, of which no part is left', async () => {
    assert.equal((await stage.ask()).status, 200);
    assert.notDeepEqual(logParts(), []);
    await serving().delete('wine', 'delete');
    assert.deepEqual(logParts(), []);
  });

  it('when it is stopped, with a rollout that waits', async () => {
    await serving().startRollout({ endpoint: 'wine', modelVersion: 2, plan: null, who: 'Ana' });
    await serving().stop('wine');
    await serving().delete('wine', 'keep');
    assert.deepEqual(names(), []);
    assert.match(trail()[1] ?? '', /^rolledBack: /);
  });

  it('and a new one of its name starts clean, even at once', async () => {
    assert.equal((await stage.ask()).status, 200);
    await serving().startRollout({ endpoint: 'wine', modelVersion: 2, plan: null, who: 'Ana' });
    const deletion = serving().delete('wine', 'delete');
    const again = start(1).catch((error: unknown) => error);
    await deletion;
    await again;
    const { modelVersion, rollout, requestCount } = await start(2);
    assert.deepEqual([modelVersion, rollout, requestCount], [2, null, 0]);
    assert.deepEqual(serving().live('wine', 0).rollouts, []);
    assert.equal((await stage.ask()).bias, 2);
    await serving().stop('wine');
    assert.equal(readLog(logFile()).length, 1);
  });

  it('but not one that slipway.yaml declares, until it is taken out of there', async () => {
    stage.writeSettings('endpoints:\n  wine: { stable: { version: 1 } }\n');
    await stage.until(({ declared }) => declared);
    await assert.rejects(serving().delete('wine', 'delete'), { kind: 'endpointDeclared' });
    assert.equal((await stage.ask()).status, 200);
    stage.writeSettings('endpoints: {}\n');
    await stage.until(({ declared }) => !declared);
    await serving().delete('wine', 'keep');
    assert.deepEqual(names(), []);
    // Declared once more it comes back: the choice that was made for the deleted one does not count.
    stage.writeSettings('endpoints:\n  wine: { stable: { version: 1 } }\n');
    const { modelVersion } = await stage.until(({ state }) => state === 'ready');
    assert.equal(modelVersion, 1);
  });
});
