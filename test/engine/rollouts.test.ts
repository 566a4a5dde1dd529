import assert from 'node:assert/strict';
import { phrase, say } from '../../src/protocol/servingSentences.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { type Answer, openServedStage, type RolloutStage } from './rolloutStage.ts';

/** A check that waits for its samples however slow the machine is. */
const patient = { inconclusiveLimit: 10_000 };

describe('Rollouts', function () {
  this.timeout(120_000);
  let stage: RolloutStage;
  beforeEach(async () => {
    stage = await openServedStage();
  });
  afterEach(() => stage.close());

  const serving = () => stage.engine().serving;
  const decide = (decision: 'promote' | 'rollBack' | 'pause' | 'resume') =>
    serving().decideRollout({ endpoint: 'wine', decision, who: 'Ana', why: 'because' });
  const held = (share: number) => ({
    strategy: 'canary' as const,
    steps: [{ share, hold: '1h' }],
    interval: '100ms',
  });
  const begin = (plan: Parameters<ReturnType<typeof serving>['startRollout']>[0]['plan'], modelVersion = 2) =>
    serving().startRollout({ endpoint: 'wine', modelVersion, plan, who: 'Ana' });
  const kinds = () =>
    serving()
      .events('wine', 100)
      .map(({ kind }) => kind)
      .toReversed();
  const lastReason = () => say(serving().live('wine', 0).rollouts[0]?.reason ?? []);
  /** Asks without a pause, so many at a time, until told to stop. */
  const load = (concurrency: number) => {
    const answers: Answer[] = [];
    let going = true;
    const clients = Array.from({ length: concurrency }, async () => {
      while (going) answers.push(await stage.ask());
    });
    return {
      answers,
      async stop() {
        going = false;
        await Promise.all(clients);
      },
    };
  };

  it('a canary gets its share, and a rollback takes effect at once and loses no request', async () => {
    const started = await begin(held(50));
    assert.deepEqual([started.state, started.share, started.stableVersion], ['running', 0.5, 1]);
    const clients = load(4);
    while (clients.answers.length < 400) await stage.ask();
    const ended = await decide('rollBack');
    const answered = clients.answers.length;
    while (clients.answers.length < answered + 200) await stage.ask();
    await clients.stop();
    assert.deepEqual([ended.state, ended.share], ['rolledBack', 0]);
    assert.deepEqual(
      clients.answers.filter(({ status }) => status !== 200),
      [],
    );
    const canary = clients.answers.filter(({ bias }) => bias === 2).length / answered;
    assert.ok(canary > 0.35 && canary < 0.65, `${canary}`);
    // Those that were under way when it was decided may still be the candidate's.
    assert.ok(
      clients.answers.slice(answered + 4).every(({ bias, variant }) => bias === 1 && variant === 'stable'),
    );
    assert.deepEqual(kinds(), ['started', 'rolloutStarted', 'rolledBack']);
    const [last] = serving().events('wine', 1);
    assert.deepEqual(
      [last?.who, last && say(last.said)],
      ['Ana', 'Version 1 answers all requests again. Ana rolled it back. Reason: because'],
    );
  });

  it('a healthy one goes through its steps and is promoted, with the endpoint and the registry; and back', async () => {
    const clients = load(2);
    await begin({
      steps: [
        { share: 30, hold: '200ms' },
        { share: 60, hold: '200ms' },
      ],
      interval: '50ms',
      checks: [
        { metric: 'errorRate', minimumSamples: 20, ...patient },
        { metric: 'latencyP50', maxRatio: 100, minimumSamples: 20, ...patient },
      ],
      promote: true,
    });
    const promoted = await stage.until(({ modelVersion }) => modelVersion === 2);
    await clients.stop();
    assert.equal(promoted.rollout, null);
    assert.deepEqual(
      clients.answers.filter(({ status }) => status !== 200),
      [],
    );
    assert.equal((await stage.ask()).bias, 2);
    assert.equal(stage.engine().registry.version('wine', 2).stage, 'Production');
    assert.deepEqual(stage.engine().registry.transitions('wine')[0]?.who, 'analysis');
    assert.deepEqual(kinds(), ['started', 'rolloutStarted', 'stepped', 'promoted']);

    const undone = await decide('rollBack');
    assert.deepEqual([undone.state, serving().endpoint('wine').modelVersion], ['rolledBack', 1]);
    assert.equal((await stage.ask()).bias, 1);
    assert.match(say(undone.reason ?? []), /^Ana took the promotion back\. Reason: because$/);
    await assert.rejects(decide('rollBack'), { kind: 'noRollout' });
    await assert.rejects(decide('promote'), { kind: 'noRollout' });
  });

  it('a step that leaves the stable version nothing is judged by what it was asked before', async () => {
    const clients = load(2);
    const checks = [
      { metric: 'errorRate' as const, minimumSamples: 30, ...patient },
      { metric: 'latencyP50' as const, maxRatio: 100, minimumSamples: 30, ...patient },
    ];
    await begin({
      steps: [
        { share: 50, hold: '200ms' },
        { share: 100, hold: '200ms' },
      ],
      interval: '50ms',
      checks,
    });
    await stage.until(({ modelVersion }) => modelVersion === 2);
    assert.deepEqual(kinds(), ['started', 'rolloutStarted', 'stepped', 'promoted']);
    const answered = clients.answers.length;
    while (clients.answers.length < answered + 200) await stage.ask();
    await begin({ steps: [{ share: 100, hold: '200ms' }], interval: '50ms', checks }, 1);
    await stage.until(({ modelVersion }) => modelVersion === 1);
    await clients.stop();
    assert.ok(clients.answers.every(({ status }) => status === 200));
  });

  it('one that cannot be loaded is rolled back with the reason, and the endpoint goes on', async () => {
    stage.register(0, Buffer.from('no model'));
    const { state, reason } = await begin(held(50), 3);
    assert.equal(state, 'rolledBack');
    assert.match(say(reason ?? []), /^Version 3 cannot be served\. /);
    assert.equal((await stage.ask()).bias, 1);
    await assert.rejects(begin(null, 1), { kind: 'versionIsStable' });
    assert.match(
      say((await begin(null, 9)).reason ?? []),
      /^Version 9 cannot be served\. .*version=9\) not found$/,
    );
  });

  it('one that ends for another version names it, as any language says it', async () => {
    await begin(held(50));
    const decision = { decision: 'rollBack' as const, who: 'Ana', why: '', replacement: 3 };
    await serving().decideRollout({ endpoint: 'wine', ...decision });
    const [event] = serving().events('wine', 1);
    assert.deepEqual(event?.said.at(-1), phrase('takesItsPlace', { version: 3 }));
    assert.match(lastReason(), /^Ana rolled it back\. Version 3 takes its place\.$/);
  });

  it('one whose version is deleted ends, and the stable version answers', async () => {
    await begin(held(50));
    stage.engine().registry.deleteVersion('wine', 2);
    await stage.until(({ rollout }) => rollout === null);
    assert.equal(lastReason(), 'Version 2 was deleted.');
    const answers = await Promise.all(Array.from({ length: 20 }, () => stage.ask()));
    assert.ok(answers.every(({ bias, status }) => bias === 1 && status === 200));
  });

  it('goes on where it was when the engine starts again, with its shares', async () => {
    await begin(held(50));
    await decide('pause');
    await assert.rejects(begin(null), { kind: 'rolloutUnderWay' });
    await stage.reopen();
    const { rollout } = await stage.until(
      ({ state, variants }) =>
        state === 'ready' && variants.some(({ name, share }) => name === 'candidate' && share === 0.5),
    );
    assert.deepEqual(
      [rollout?.state, rollout?.share, say(rollout?.reason ?? [])],
      ['paused', 0.5, 'Ana paused it. Reason: because'],
    );
    const answers = await Promise.all(Array.from({ length: 60 }, () => stage.ask()));
    assert.deepEqual(new Set(answers.map(({ bias }) => bias)), new Set([1, 2]));
    assert.equal((await decide('resume')).state, 'running');
    assert.equal((await decide('promote')).state, 'promoted');
    assert.equal((await stage.ask()).bias, 2);
    assert.equal(serving().endpoint('wine').modelVersion, 2);
  });

  it('a shadow answers nobody, and is promoted when it agrees', async () => {
    stage.register(1, linearModel('rows', 1));
    await begin(
      {
        strategy: 'shadow',
        share: 100,
        interval: '50ms',
        checks: [{ metric: 'agreement', min: 0.99, ...patient }],
      },
      3,
    );
    const clients = load(1);
    await stage.until(({ modelVersion }) => modelVersion === 3);
    await clients.stop();
    assert.ok(clients.answers.every(({ bias }) => bias === 1));
    await begin({
      strategy: 'shadow',
      share: 100,
      interval: '50ms',
      checks: [{ metric: 'agreement', min: 0.99, ...patient }],
    });
    const others = load(1);
    await stage.until(({ rollout }) => rollout === null);
    await others.stop();
    assert.ok(others.answers.every(({ bias, status }) => bias === 1 && status === 200));
    assert.match(lastReason(), /agreement of version 2 is 0 %/);
  });

  it('an A/B test is decided by the rewards that clients tell later', async () => {
    await begin({ strategy: 'abTest', share: 50, interval: '200ms', checks: [] });
    const clients = load(2);
    while (clients.answers.length < 600) await stage.ask();
    await clients.stop();
    const response = await fetch(`${serving().endpoint('wine').url}/v2/feedback`, {
      method: 'POST',
      headers: { authorization: 'Bearer a token for the tests', 'content-type': 'application/json' },
      body: JSON.stringify(
        clients.answers.map(({ requestId, bias }, index) => ({
          request_id: requestId,
          reward: index % 10 < (bias === 2 ? 7 : 3) ? 1 : 0,
        })),
      ),
    });
    assert.equal(response.status, 202);
    const { modelVersion } = await stage.until(({ rollout }) => rollout === null);
    assert.equal(modelVersion, 2, lastReason());
    assert.match(lastReason(), /mean reward of version 2 is 0\.[67]/);
  });
});
