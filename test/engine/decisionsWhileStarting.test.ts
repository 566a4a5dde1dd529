import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { storeLayout } from '../../src/engine/layout.ts';
import { openRolloutStage, type RolloutStage } from './rolloutStage.ts';

describe('What is decided while an endpoint is busy', function () {
  this.timeout(120_000);
  let stage: RolloutStage;
  beforeEach(async () => {
    stage = await openRolloutStage();
    stage.register(1);
    stage.register(2);
  });
  afterEach(() => stage.close());

  const serving = () => stage.engine().serving;
  const settings = (threads: number) =>
    `endpoints:\n  wine: { stable: { version: 1 }, runtime: { threads: ${threads} } }\n`;
  const decide = (decision: 'promote' | 'rollBack') =>
    serving().decideRollout({ endpoint: 'wine', decision, who: 'Ana', why: '' });
  const begin = () =>
    serving().startRollout({
      endpoint: 'wine',
      modelVersion: 2,
      plan: { steps: [{ share: 50, hold: '1h' }], promote: true },
      who: 'Ana',
    });
  /** Has new processes take over, decides while they start, and waits until they answer. */
  const decideWhileStarting = async (decision: 'promote' | 'rollBack') => {
    stage.writeSettings(settings(1));
    await stage.until(({ state }) => state === 'ready');
    await begin();
    const starts = () => stage.logged.filter((line) => line.includes(': It answers with version')).length;
    const before = starts();
    stage.writeSettings(settings(2));
    while (!stage.logged.some((line) => line.includes('new processes are being started')))
      await setImmediate();
    await setImmediate();
    await decide(decision);
    assert.equal(starts(), before, 'it was decided before they answered');
    while (starts() === before) await setImmediate();
    await stage.until(({ variants }) => variants.every(({ name }) => name !== 'candidate'));
    return new Set(
      (await Promise.all(Array.from({ length: 30 }, () => stage.ask()))).map(({ bias }) => bias),
    );
  };

  it('a rollback holds for the processes that take over', async () => {
    assert.deepEqual(await decideWhileStarting('rollBack'), new Set([1]));
    assert.equal(serving().endpoint('wine').modelVersion, 1);
  });

  it('a promotion holds for them, and the registry knows whose it was', async () => {
    assert.deepEqual(await decideWhileStarting('promote'), new Set([2]));
    assert.equal(serving().endpoint('wine').modelVersion, 2);
    assert.equal(stage.engine().registry.transitions('wine')[0]?.who, 'Ana');
  });

  it('a candidate that is called off while it is loaded does not stay, and may come again at once', async () => {
    await serving().start({ modelName: 'wine', modelVersion: 1, port: null });
    const starting = begin();
    assert.equal((await decide('rollBack')).state, 'rolledBack');
    assert.equal((await starting).state, 'rolledBack');
    assert.deepEqual(
      serving()
        .describe('wine')
        .versions.map(({ version }) => version),
      [1],
    );
    assert.equal((await begin()).state, 'running');
    await decide('rollBack');
    assert.equal((await begin()).state, 'running');
    const answers = await Promise.all(Array.from({ length: 60 }, () => stage.ask()));
    assert.deepEqual(new Set(answers.map(({ bias }) => bias)), new Set([1, 2]));
  });

  it('a process that crashes is started again where the audit trail cannot be written', async () => {
    await serving().start({ modelName: 'wine', modelVersion: 1, port: null });
    const store = new BetterSqlite3(storeLayout(stage.workspace).database);
    store.exec('DROP TABLE endpoint_events');
    store.close();
    const started = stage.logged.findLast((line) => line.includes('(process '));
    process.kill(Number(/\(process (\d+)\)/.exec(started ?? '')?.[1]), 'SIGKILL');
    while (!stage.logged.some((line) => line.includes('could not be recorded'))) await setImmediate();
    await stage.until(({ state }) => state === 'ready');
    assert.equal((await stage.ask()).bias, 1);
  });

  it('the trail names a person only for what a person did', async () => {
    const trail = () =>
      serving()
        .events('wine', 10)
        .map(({ who, kind }) => `${who === userInfo().username ? 'person' : who}: ${kind}`)
        .toReversed();
    await serving().start({ modelName: 'wine', modelVersion: 1, port: null });
    await stage.reopen();
    await stage.until(({ state }) => state === 'ready' && trail().length === 2);
    stage.engine().registry.deleteVersion('wine', 1);
    await stage.until(({ state }) => state === 'stopped');
    assert.deepEqual(trail(), ['person: started', 'engine: started', 'registry: stopped']);
  });

  it('a version that cannot be read any more keeps no later change from being followed', async () => {
    const { registry } = stage.engine();
    await serving().start({ modelName: 'wine', modelVersion: 1, port: null });
    writeFileSync(
      join(registry.modelFolder('wine', 1), 'MLmodel'),
      'flavors: { onnx: { data: "no\\0file" } }\n',
    );
    registry.promote({ name: 'wine', version: 1, stage: 'Staging', who: 'Ana', why: '' });
    while (!stage.logged.some((line) => line.startsWith('A change was not followed: '))) await setImmediate();
    await serving().start({ modelName: 'wine', modelVersion: 2, port: null });
    stage.writeSettings('endpoints:\n  second: { model: wine, stable: { version: 2 } }\n');
    await stage.until(({ state }) => state === 'ready', 'second');
  });
});
