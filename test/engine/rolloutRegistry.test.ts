import assert from 'node:assert/strict';
import BetterSqlite3 from 'better-sqlite3';
import { storeLayout } from '../../src/engine/layout.ts';
import { say } from '../../src/protocol/servingSentences.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { openRolloutStage, type RolloutStage } from './rolloutStage.ts';

describe('What rollouts say to the registry', function () {
  this.timeout(120_000);
  let stage: RolloutStage;
  beforeEach(async () => {
    stage = await openRolloutStage();
    stage.register(1);
    stage.register(2);
  });
  afterEach(() => stage.close());

  const serving = () => stage.engine().serving;
  const registry = () => stage.engine().registry;
  const stages = () =>
    registry()
      .versions('wine')
      .map(({ version, stage: held }) => `${version} ${held}`)
      .toReversed();
  const decide = (decision: 'promote' | 'rollBack', endpoint = 'wine') =>
    serving().decideRollout({ endpoint, decision, who: 'Ana', why: 'it is worse' });
  const promote = (version: number) =>
    registry().promote({ name: 'wine', version, stage: 'Production', who: 'Bea', why: '' });
  const begin = (promotes: boolean, modelVersion = 2) =>
    serving().startRollout({
      endpoint: 'wine',
      modelVersion,
      plan: { steps: [{ share: 50, hold: '1h' }], promote: promotes },
      who: 'Ana',
    });
  const restored = () =>
    serving()
      .events('wine', 100)
      .filter(({ kind }) => kind === 'registryRestored')
      .map(({ who, said }) => `${who}: ${say(said)}`);

  it('a promotion that is taken back leaves it as it was, with who and why', async () => {
    promote(1);
    registry().promote({ name: 'wine', version: 2, stage: 'Staging', who: 'Bea', why: '' });
    await serving().start({ modelName: 'wine', modelVersion: 1, port: null });
    await begin(true);
    await decide('promote');
    assert.deepEqual(stages(), ['1 Archived', '2 Production']);
    await decide('rollBack');
    assert.deepEqual(stages(), ['1 Production', '2 Staging']);
    const [last, before] = registry().transitions('wine');
    assert.deepEqual(
      [last, before].map((one) => [one?.version, one?.from, one?.to, one?.who, one?.why]),
      [
        [1, 'Archived', 'Production', 'Ana', 'Ana took the promotion back. Reason: it is worse'],
        [2, 'Production', 'Staging', 'Ana', 'Ana took the promotion back. Reason: it is worse'],
      ],
    );
    assert.deepEqual(restored(), [
      'Ana: Version 2 is in the stage Staging again, and version 1 in Production.',
    ]);
  });

  it('what is no longer as the promotion left it stays so, and what it never said, too', async () => {
    await serving().start({ modelName: 'wine', modelVersion: 1, port: null });
    await begin(true);
    await decide('promote');
    registry().promote({ name: 'wine', version: 2, stage: 'Archived', who: 'Bea', why: '' });
    await decide('rollBack');
    assert.deepEqual(stages(), ['1 None', '2 Archived']);
    promote(2);
    await begin(false);
    await decide('rollBack');
    assert.deepEqual(stages(), ['1 None', '2 Production'], 'the endpoint does not follow it');
    assert.deepEqual(restored(), []);
  });

  for (const by of ['a person', 'the analysis'] as const) {
    it(`one that the endpoint followed is taken back when ${by} rolls it back, and can come again`, async () => {
      const isPerson = by === 'a person';
      if (!isPerson) stage.register(0, Buffer.from('no model'));
      const candidate = isPerson ? 2 : 3;
      promote(1);
      stage.writeSettings('endpoints:\n  wine: { rollout: { steps: [{ share: 50, hold: 1h }] } }\n');
      await stage.until(({ state }) => state === 'ready');
      promote(candidate);
      if (isPerson) {
        await stage.until(({ rollout }) => rollout?.share === 0.5);
        await decide('rollBack');
      } else await stage.until(() => restored().length === 1);
      assert.deepEqual(registry().version('wine', 1).stage, 'Production');
      assert.deepEqual(registry().version('wine', candidate).stage, 'None');
      assert.deepEqual(restored(), [
        `${isPerson ? 'Ana' : 'analysis'}: Version ${candidate} is in the stage None again, and version 1 in Production.`,
      ]);
      if (!isPerson) return;
      promote(2);
      await stage.until(({ rollout }) => rollout?.candidateVersion === 2 && rollout.share === 0.5);
      await decide('promote');
      await decide('rollBack');
      assert.deepEqual([stages(), serving().endpoint('wine').modelVersion], [['1 Production', '2 None'], 1]);
    });
  }

  it('an alias that the endpoint followed names what is served again', async () => {
    registry().setAlias('wine', 'champion', 1);
    stage.writeSettings(
      'endpoints:\n  wine: { stable: { alias: champion }, rollout: { steps: [{ share: 50, hold: 1h }] } }\n',
    );
    await stage.until(({ state }) => state === 'ready');
    registry().setAlias('wine', 'champion', 2);
    await stage.until(({ rollout }) => rollout?.share === 0.5);
    await decide('promote');
    await decide('rollBack');
    assert.deepEqual(registry().model('wine').aliases, [{ alias: 'champion', version: 1 }]);
    assert.deepEqual(restored(), ['Ana: The alias "champion" names version 1 again.']);
  });

  it('a version that another endpoint serves stays in its stage', async () => {
    promote(1);
    stage.writeSettings(
      'endpoints:\n  wine: { rollout: { steps: [{ share: 50, hold: 1h }] } }\n  other: { model: wine, stable: { version: 2 } }\n',
    );
    await stage.until(({ state }) => state === 'ready');
    await stage.until(({ state }) => state === 'ready', 'other');
    promote(2);
    await stage.until(({ rollout }) => rollout?.share === 0.5);
    await decide('rollBack');
    assert.deepEqual(stages(), ['1 Archived', '2 Production']);
    assert.deepEqual(restored(), [
      'Ana: Version 2 stays in the stage Production, as the endpoint "other" serves it.',
    ]);
  });

  it('the promotion of a rollout and that of the registry are one: neither stands without the other', async () => {
    await serving().start({ modelName: 'wine', modelVersion: 1, port: null });
    await begin(true);
    const store = new BetterSqlite3(storeLayout(stage.workspace).database);
    store.exec(
      "CREATE TRIGGER no_transition BEFORE INSERT ON stage_transitions BEGIN SELECT RAISE(ABORT, 'no room'); END",
    );
    await assert.rejects(decide('promote'));
    await stage.reopen();
    const { rollout, modelVersion } = await stage.until(
      ({ state, variants }) => state === 'ready' && variants.length === 2,
    );
    assert.deepEqual(
      [rollout?.state, rollout?.share, modelVersion, stages()],
      ['running', 0.5, 1, ['1 None', '2 None']],
    );
    const answers = await Promise.all(Array.from({ length: 60 }, () => stage.ask()));
    assert.deepEqual(new Set(answers.map(({ bias }) => bias)), new Set([1, 2]));
    store.exec('DROP TRIGGER no_transition');
    store.close();
    await decide('promote');
    assert.deepEqual([serving().endpoint('wine').modelVersion, stages()], [2, ['1 None', '2 Production']]);
  });

  it('a version that the registry does not know any more hinders no rollback, and the trail says so', async () => {
    stage.register(3, linearModel('rows', 3));
    await serving().start({ modelName: 'wine', modelVersion: 1, port: null });
    await begin(true, 3);
    await decide('promote');
    registry().deleteVersion('wine', 3);
    await decide('rollBack');
    const [event] = serving()
      .events('wine', 10)
      .filter(({ kind }) => kind === 'registryRefused');
    assert.match(
      say(event?.said ?? []),
      /^The registry was not brought to what is served\. .*version=3\) not found/,
    );
    assert.equal(serving().endpoint('wine').modelVersion, 1);
  });
});
