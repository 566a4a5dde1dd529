import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingsProblem } from '../../src/protocol/endpointSettings.ts';
import { detail } from '../../src/protocol/errorDetails.ts';
import { say } from '../../src/protocol/servingSentences.ts';
import { openRolloutStage, type RolloutStage } from './rolloutStage.ts';

describe('slipway.yaml and the registry', function () {
  this.timeout(120_000);
  let stage: RolloutStage;
  beforeEach(async () => {
    stage = await openRolloutStage();
    stage.register(1);
    stage.register(2);
  });
  afterEach(() => stage.close());

  it('a declared endpoint starts with the version of its stage, and follows a promotion', async () => {
    stage.promote(1);
    stage.writeSettings('endpoints:\n  wine: {}\n');
    const { modelVersion, declared, follows } = await stage.until(({ state }) => state === 'ready');
    assert.deepEqual([modelVersion, declared, follows], [1, true, { type: 'stage', stage: 'Production' }]);
    // Nobody has asked it: no canary would ever be judged.
    stage.promote(2);
    await stage.until((endpoint) => endpoint.modelVersion === 2);
    assert.equal((await stage.ask()).bias, 2);
    const started = stage.trail().filter((kind) => !kind.endsWith('started'));
    assert.deepEqual(started, ['slipway.yaml: declared', 'registry: rolloutStarted', 'analysis: promoted']);
    // Somebody has by now: the next one comes in step by step.
    await stage.until(({ requestCount }) => requestCount > 0);
    stage.register(3);
    stage.promote(3);
    const { rollout } = await stage.until((endpoint) => endpoint.rollout?.share === 0.05);
    assert.deepEqual([rollout?.strategy, rollout?.candidateVersion], ['canary', 3]);
    // Another promotion takes its place.
    stage.promote(1);
    const next = await stage.until((endpoint) => endpoint.rollout?.candidateVersion === 1);
    assert.equal(next.rollout?.stableVersion, 2);
  });

  it('a version that comes to its stage later makes the endpoint; what is pinned stays', async () => {
    stage.writeSettings(
      'endpoints:\n  wine: { stable: { alias: champion } }\n  pinned: { model: wine, stable: { version: 1 } }\n  still: { model: wine, follow: false }\n',
    );
    await stage.until(({ state }) => state === 'ready', 'pinned');
    assert.ok(
      stage.logged.some((line) => line.includes('No version of "wine" has the alias "champion" yet.')),
    );
    stage.promote(1);
    await stage.until(({ state }) => state === 'ready', 'still');
    stage.engine().registry.setAlias('wine', 'champion', 2);
    const { modelVersion } = await stage.until(({ state }) => state === 'ready');
    assert.equal(modelVersion, 2);
    stage.promote(2);
    stage.engine().registry.setAlias('wine', 'champion', 1);
    await stage.until((endpoint) => endpoint.modelVersion === 1);
    for (const name of ['pinned', 'still']) {
      const { modelVersion: served, follows } = stage.engine().serving.endpoint(name);
      assert.deepEqual([served, follows], [1, { type: 'pinned' }], name);
    }
    assert.equal((await stage.ask({ endpoint: 'pinned' })).bias, 1);
  });

  it('with an error in it tells the place, and what was read before stays in force', async () => {
    stage.promote(1);
    stage.writeSettings('endpoints:\n  wine: { sticky: { header: x-user } }\n');
    await stage.until(({ state }) => state === 'ready');
    const refused = () => stage.logged.find((line) => line.startsWith('slipway.yaml, line 2, column 17: '));
    const told: (readonly SettingsProblem[])[] = [];
    stage.engine().changes.listen((event, data) => {
      if (event === 'serving/settingsRead' && 'problems' in data) told.push(data.problems);
    });
    stage.writeSettings('endpoints:\n  wine: { porto: 80, sticky: { header: x-user } }\n');
    stage.writeSettings('endpoints:\n  wine: { port: 80000 }\n');
    while (!refused()) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(
      refused(),
      'slipway.yaml, line 2, column 17: endpoints.wine.port: expected number to be <=65535, not 80000',
    );
    assert.equal(stage.engine().serving.endpoint('wine').declared, true);
    // The editor shows it in the file until it is right again, even with the words that it had before.
    assert.deepEqual(told.at(-1), [
      {
        line: 2,
        column: 17,
        detail: detail('settingAt', {
          setting: 'endpoints.wine.port',
          problem: detail('settingGiven', {
            problem: detail('expectedNumber', { comparison: '<=65535' }),
            given: '80000',
          }),
        }),
      },
    ]);
    stage.writeSettings('endpoints:\n  wine: { sticky: { header: x-user } }\n');
    while (told.at(-1)?.length !== 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('without its entry is pinned, and starts again with the engine as it was', async () => {
    stage.promote(1);
    stage.writeSettings('endpoints:\n  wine: {}\n');
    await stage.until(({ state }) => state === 'ready');
    rmSync(join(stage.workspace, 'slipway.yaml'));
    await stage.until(({ declared }) => !declared);
    stage.promote(2);
    await stage.reopen();
    const { modelVersion, follows } = await stage.until(({ state }) => state === 'ready');
    assert.deepEqual([modelVersion, follows], [1, { type: 'pinned' }]);
  });

  it('follows what was promoted while the engine did not run', async () => {
    stage.promote(1);
    stage.writeSettings('endpoints:\n  wine: { rollout: { strategy: direct } }\n');
    await stage.until(({ state }) => state === 'ready');
    await stage.engine().serving.stop('wine');
    stage.promote(2);
    await stage.until((endpoint) => endpoint.modelVersion === 2);
    assert.ok(stage.trail().includes('registry: versionChanged'));
    await stage.reopen();
    assert.equal(stage.engine().serving.endpoint('wine').state, 'stopped', 'a person stopped it');
  });

  describe('with an entry that is written while a person brings a version in', () => {
    const ended: (readonly [string, number, string])[] = [];
    beforeEach(async () => {
      ended.length = 0;
      const { serving, changes } = stage.engine();
      changes.listen((event, data) => {
        if (event === 'serving/rolloutReplaced' && 'version' in data && 'reason' in data)
          ended.push([data.endpoint, data.version, say(data.reason)]);
      });
      await serving.start({ modelName: 'wine', modelVersion: 1, port: null });
      const plan = { steps: [{ share: 50, hold: '1h' }] };
      await serving.startRollout({ endpoint: 'wine', modelVersion: 2, plan, who: 'Ana' });
    });
    /** Writes an entry, and waits until it was followed: other limits take effect last of all. */
    const declare = async (stable: string, kilobytes: number) => {
      const before = stage.trail().length;
      stage.writeSettings(
        `endpoints:\n  wine:\n    stable: ${stable}\n    limits: { body: ${kilobytes}KB }\n`,
      );
      await stage.until(() => stage.trail().slice(before).includes('slipway.yaml: settingsChanged'));
    };
    const current = () => {
      const { modelVersion, rollout } = stage.engine().serving.endpoint('wine');
      return [modelVersion, rollout?.candidateVersion, rollout?.share, rollout?.state];
    };

    it('goes on with it where the entry names the version that is served, or the one that comes in', async () => {
      stage.promote(1);
      for (const [index, stable] of ['{ version: 1 }', '{ stage: Production }', '{ version: 1 }'].entries()) {
        await declare(stable, index + 1);
        assert.deepEqual(current(), [1, 2, 0.5, 'running'], stable);
      }
      const answers = await Promise.all(Array.from({ length: 40 }, () => stage.ask()));
      assert.deepEqual([...new Set(answers.map(({ bias }) => bias))].toSorted(), [1, 2]);
      await declare('{ version: 2 }', 9);
      assert.deepEqual(current(), [1, 2, 0.5, 'running']);
      assert.ok(!stage.trail().some((kind) => kind.endsWith('rolledBack')), stage.trail().join());
      assert.deepEqual(ended, []);

      // An entry that named the one that comes in, and does so no longer, takes it back.
      await declare('{ version: 1 }', 1);
      assert.deepEqual(current(), [1, undefined, undefined, undefined]);
      assert.deepEqual(ended, [['wine', 2, 'Version 1 takes its place. slipway.yaml names it.']]);
    });

    it('ends it where the entry names a third one, with the reason in the trail, and tells people', async () => {
      stage.register(3);
      stage.writeSettings(
        'endpoints:\n  wine: { stable: { version: 3 }, rollout: { steps: [{ share: 20, hold: 1h }] } }\n',
      );
      await stage.until(({ rollout }) => rollout?.candidateVersion === 3 && rollout.share === 0.2);
      const reason = 'Version 3 takes its place. slipway.yaml names it.';
      assert.deepEqual(ended, [['wine', 2, reason]]);
      const event = stage
        .engine()
        .serving.events('wine', 10)
        .find(({ kind }) => kind === 'rolledBack');
      assert.deepEqual(
        [event?.who, event && say(event.said)],
        ['slipway.yaml', `Version 1 answers all requests again. ${reason}`],
      );
    });
  });

  it('that name another version than what a rollout ended with are told of in the trail, and it stays', async () => {
    stage.writeSettings('endpoints:\n  wine: { stable: { version: 1 } }\n');
    await stage.until(({ state }) => state === 'ready');
    await stage
      .engine()
      .serving.startRollout({ endpoint: 'wine', modelVersion: 2, plan: { strategy: 'direct' }, who: 'Ana' });
    await stage.until(({ modelVersion }) => modelVersion === 2);
    const told = () =>
      stage
        .engine()
        .serving.events('wine', 20)
        .filter(({ kind }) => kind === 'settingsDiffer')
        .map(({ said }) => say(said));
    assert.deepEqual(told(), [
      'slipway.yaml still names version 1. Write version 2 there, so that it is served wherever that file is used.',
    ]);
    // The same file, written again.
    stage.writeSettings('endpoints:\n  wine: { stable: { version: 1 }, limits: { body: 1KB } }\n');
    await stage.until(() => stage.trail().includes('slipway.yaml: settingsChanged'));
    assert.equal(stage.engine().serving.endpoint('wine').modelVersion, 2);
    assert.equal(told().length, 1);

    await stage
      .engine()
      .serving.startRollout({ endpoint: 'wine', modelVersion: 1, plan: { strategy: 'direct' }, who: 'Ana' });
    await stage.until(({ modelVersion }) => modelVersion === 1);
    assert.equal(told().length, 1, 'the settings name what is served again');
  });

  it('brings in what the candidate names', async () => {
    stage.promote(1);
    stage.writeSettings(
      'endpoints:\n  wine: { candidate: { alias: challenger }, rollout: { steps: [{ share: 20, hold: 1h }] } }\n',
    );
    await stage.until(({ state }) => state === 'ready');
    stage.engine().registry.setAlias('wine', 'challenger', 2);
    const { rollout } = await stage.until((endpoint) => endpoint.rollout?.share === 0.2);
    assert.equal(rollout?.candidateVersion, 2);
  });
});
