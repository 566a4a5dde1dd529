import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RolloutObservation } from '../../../src/engine/serving/rolloutObservation.ts';
import {
  begin,
  type Decision,
  decide,
  giveUp,
  look,
  reasonOf,
} from '../../../src/engine/serving/rolloutRules.ts';
import { isOver, type Turn } from '../../../src/engine/serving/rolloutTurns.ts';
import type { Rollout, RolloutCrashes, RolloutProgress } from '../../../src/engine/serving/rolloutTypes.ts';
import type { RolloutPlanInput } from '../../../src/protocol/endpointSettings.ts';
import { say } from '../../../src/protocol/servingSentences.ts';
import { momentsOf, noMoments } from '../../../src/statistics/moments.ts';
import { portuguese } from './portuguese.ts';
import { arm, observed, rolloutOf } from './rolloutCases.ts';

const second = 1000;
const healthy = observed({ candidate: arm(200), stable: arm(2000) });
const failing = observed({ candidate: arm(200, 40), stable: arm(2000, 2) });
const unknown = observed({ candidate: arm(10), stable: arm(2000) });

const kinds = ({ actions }: Turn) =>
  actions.map((action) => (action.type === 'note' ? action.kind : action.type));
const started = (rollout: Rollout) => begin(rollout, 'Ana', [], 0).progress;
const decided = (
  rollout: Rollout,
  progress: RolloutProgress,
  decision: Decision['decision'],
  now = 0,
  who = 'Ana',
): Turn => {
  const turn = decide(rollout, progress, { decision, who, why: '' }, now);
  assert.ok(turn);
  return turn;
};
const ones = (count: number, share: number) =>
  momentsOf(Array.from({ length: count }, (_, index) => (index < count * share ? 1 : 0)));

describe('rules of rollouts', () => {
  describe('canary', () => {
    const plan: RolloutPlanInput = {
      steps: [
        { share: 5, hold: '10s' },
        { share: 50, hold: '20s' },
      ],
    };
    const rollout = rolloutOf(plan);

    it('goes from step to step when its checks pass, but not before it was held, and promotes at the end', () => {
      const first = begin(rollout, 'Ana', [{ text: 'it is better' }], 0);
      assert.deepEqual(kinds(first), ['rolloutStarted', 'route']);
      assert.equal(first.progress.share, 0.05);
      const early = look(rollout, first.progress, healthy, 9 * second);
      assert.deepEqual([early.progress.step, kinds(early)], [0, []]);
      const next = look(rollout, early.progress, healthy, 10 * second);
      assert.deepEqual(
        [next.progress.step, next.progress.share, kinds(next)],
        [1, 0.5, ['route', 'stepped']],
      );
      const held = look(rollout, next.progress, healthy, 29 * second);
      assert.equal(held.progress.state, 'running');
      const last = look(rollout, held.progress, healthy, 30 * second);
      assert.deepEqual([last.progress.state, last.progress.share], ['promoted', 1]);
      assert.deepEqual(kinds(last), ['route', 'promote', 'promoted']);
    });

    it('is rolled back at the first failed look, in the middle of a hold, with what was seen', () => {
      const turn = look(rollout, started(rollout), failing, second);
      assert.deepEqual([turn.progress.state, turn.progress.share], ['rolledBack', 0]);
      assert.deepEqual(kinds(turn), ['route', 'rolledBack', 'takeBack', 'checkFailed']);
      assert.match(
        say(turn.progress.reason ?? []),
        /error rate of version 4 is 20 % \(200\) beside 0\.1 % of version 3/,
      );
    });

    it('tolerates failed looks up to the limit, if they do not come one after the other', () => {
      const patient = rolloutOf({ ...plan, checks: [{ metric: 'errorRate', failureLimit: 3 }] });
      let progress = started(patient);
      for (const seen of [failing, failing, healthy, failing, failing]) {
        progress = look(patient, progress, seen, second).progress;
        assert.equal(progress.state, 'running');
      }
      assert.equal(look(patient, progress, failing, second).progress.state, 'rolledBack');
    });

    it('without enough samples is no success: it waits, then pauses, and goes on when a person says so', () => {
      const impatient = rolloutOf({ ...plan, checks: [{ metric: 'errorRate', inconclusiveLimit: 3 }] });
      let progress = started(impatient);
      for (let now = 0; now < 10; now += 1)
        progress = look(impatient, progress, unknown, now * second).progress;
      assert.equal(progress.state, 'running', 'looks within the hold do not count');
      for (let now = 10; now < 12; now += 1)
        progress = look(impatient, progress, unknown, now * second).progress;
      assert.equal(progress.state, 'running');
      const paused = look(impatient, progress, unknown, 12 * second);
      assert.deepEqual([paused.progress.state, kinds(paused)], ['paused', ['paused']]);
      assert.match(say(paused.progress.reason ?? []), /After 3 looks .* there are 10 of version 4/);
      assert.equal(paused.progress.share, 0.05, 'the shares stay');
      const resumed = decided(impatient, paused.progress, 'resume', 13 * second);
      assert.deepEqual([resumed.progress.state, kinds(resumed)], ['running', ['resumed']]);
      assert.equal(look(impatient, resumed.progress, healthy, 14 * second).progress.step, 1);
    });

    it('looks on while it waits for a judgement, and is rolled back when a check fails', () => {
      const impatient = rolloutOf({ ...plan, checks: [{ metric: 'errorRate', inconclusiveLimit: 1 }] });
      const paused = look(impatient, started(impatient), unknown, 10 * second).progress;
      assert.equal(paused.state, 'paused');
      assert.equal(look(impatient, paused, failing, 11 * second).progress.state, 'rolledBack');
    });

    it('stays as a person paused it, whatever is seen', () => {
      const paused = decided(rollout, started(rollout), 'pause').progress;
      assert.deepEqual([paused.state, paused.share], ['paused', 0.05]);
      assert.deepEqual(look(rollout, paused, failing, 100 * second).progress.state, 'paused');
      assert.equal(decide(rollout, paused, { decision: 'pause', who: 'Ana', why: '' }, 0), null);
    });

    it('waits at a step that asks for a confirmation, guarded, and then goes to the next one', () => {
      const careful = rolloutOf({
        steps: [
          { share: 10, hold: 'confirm' },
          { share: 50, hold: '1s' },
        ],
      });
      const first = begin(careful, 'Ana', [], 0);
      assert.deepEqual([first.progress.state, first.progress.share], ['paused', 0.1]);
      assert.deepEqual(kinds(first), ['rolloutStarted', 'route', 'paused']);
      assert.equal(look(careful, first.progress, healthy, 60 * second).progress.step, 0);
      assert.equal(look(careful, first.progress, failing, 60 * second).progress.state, 'rolledBack');
      const confirmed = decided(careful, first.progress, 'resume', 61 * second);
      assert.deepEqual([confirmed.progress.step, kinds(confirmed)], [1, ['resumed', 'route', 'stepped']]);
    });

    describe('when a process of the endpoint ends', () => {
      const crashed = (crashes: Partial<RolloutCrashes>) =>
        observed({ crashes: { candidate: 0, unknown: 0, before: 0, ...crashes } });

      it('while it ran the candidate: is rolled back, at the limit of failed looks at the errors', () => {
        const turn = look(rollout, started(rollout), crashed({ candidate: 1 }), second);
        assert.equal(turn.progress.state, 'rolledBack');
        assert.match(say(turn.progress.reason ?? []), /was ended while it ran version 4\.$/);
        const patient = rolloutOf({ ...plan, checks: [{ metric: 'errorRate', failureLimit: 3 }] });
        assert.equal(look(patient, started(patient), crashed({ candidate: 2 }), 1).progress.state, 'running');
        assert.equal(
          look(patient, started(patient), crashed({ candidate: 3 }), 1).progress.state,
          'rolledBack',
        );
      });

      it('and nobody knows why: pauses, once for each, and is rolled back when it comes again', () => {
        const paused = look(rollout, started(rollout), crashed({ unknown: 1 }), second);
        assert.deepEqual([paused.progress.state, paused.progress.waitsFor], ['paused', 'judgement']);
        assert.match(say(paused.progress.reason ?? []), /nothing tells which version it was/);
        const resumed = decided(rollout, paused.progress, 'resume', 2 * second).progress;
        assert.equal(look(rollout, resumed, crashed({ unknown: 1 }), 3 * second).progress.state, 'running');
        for (const { progress } of [paused, { progress: resumed }]) {
          const again = look(rollout, progress, crashed({ unknown: 2 }), 3 * second);
          assert.equal(again.progress.state, 'rolledBack');
          assert.match(
            say(again.progress.reason ?? []),
            /2 times since version 4 gets requests, and not once/,
          );
        }
      });

      it('as it did before the candidate came: only pauses, however often', () => {
        let progress = started(rollout);
        for (let unknown = 1; unknown < 6; unknown += 1) {
          progress = look(rollout, progress, crashed({ unknown, before: 1 }), unknown).progress;
          assert.equal(progress.state, 'paused');
          progress = decided(rollout, progress, 'resume', unknown).progress;
        }
      });
    });

    it('is not stopped by a check that only tells', () => {
      const dry = rolloutOf({
        ...plan,
        checks: [
          { metric: 'errorRate', dryRun: true },
          { metric: 'latencyP50', max: 100 },
        ],
      });
      const turn = look(dry, started(dry), failing, 10 * second);
      assert.deepEqual([turn.progress.step, turn.progress.state], [1, 'running']);
      const told = look(dry, started(dry), failing, 9 * second).progress.checks[0]?.outcome;
      assert.deepEqual([told?.verdict, told?.dryRun], ['failed', true]);
    });
  });

  it('a person may promote or roll back at any time, and nothing after the end', () => {
    const rollout = rolloutOf({});
    for (const decision of ['promote', 'rollBack'] as const) {
      const { progress, actions } = decided(rollout, started(rollout), decision);
      assert.equal(progress.state, decision === 'promote' ? 'promoted' : 'rolledBack');
      assert.equal(actions[0]?.type, 'route', 'requests are led before anything else');
      assert.ok(actions.some((action) => action.type === 'note' && action.who === 'Ana'));
      assert.equal(decide(rollout, progress, { decision, who: 'Ana', why: '' }, 0), null);
      assert.deepEqual(look(rollout, progress, failing, 1).actions, []);
      assert.deepEqual(giveUp({ rollout, progress, who: 'registry', why: [], now: 1 }).actions, []);
    }
  });

  it('a rollback for another version names that one in any language', () => {
    const rollout = rolloutOf({});
    const replaced = { decision: 'rollBack', who: 'Ana', why: '', replacement: 7 } as const;
    const reason = decide(rollout, started(rollout), replaced, 0)?.progress.reason ?? [];
    assert.equal(say(reason), 'Ana rolled it back. Version 7 takes its place.');
    assert.match(say(reason, portuguese), /^Ana .*\. A versão 7 toma o lugar dela\.$/);
    assert.equal(
      say(reasonOf({ ...replaced, why: 'it is better' })),
      'Version 7 takes its place. Reason: it is better',
    );
  });

  it('direct: all at once', () => {
    const turn = begin(rolloutOf({ strategy: 'direct' }), 'Ana', [], 5);
    assert.deepEqual(kinds(turn), ['rolloutStarted', 'route', 'promote', 'promoted']);
    assert.deepEqual([turn.progress.state, turn.progress.share], ['promoted', 1]);
  });

  describe('A/B test', () => {
    const test = rolloutOf({ strategy: 'abTest', share: 50, atMost: '1h' });
    const rewarded = (candidate: number, stable: number, count = 4000) =>
      observed({
        candidate: arm(count),
        stable: arm(count),
        sample: {
          drift: null,
          quality: null,
          rewards: { candidate: ones(count, candidate), stable: ones(count, stable) },
        },
      });

    it('promotes the better one and rolls the worse one back, each by the sequential test', () => {
      const better = look(test, started(test), rewarded(0.2, 0.1), second);
      assert.equal(better.progress.state, 'promoted');
      assert.match(say(better.progress.reason ?? []), /mean reward of version 4 is 0\.2/);
      const worse = look(test, started(test), rewarded(0.1, 0.2), second);
      assert.equal(worse.progress.state, 'rolledBack');
      assert.match(say(worse.progress.reason ?? []), /^Version 3 is better/);
    });

    it('does not take what was seen against a version for a proof of it', () => {
      const paused = decided(test, started(test), 'pause').progress;
      const worse = look(test, paused, rewarded(0.1, 0.2), second).progress;
      const resumed = decided(test, worse, 'resume', second).progress;
      const even = look(test, resumed, rewarded(0.1005, 0.1), 2 * second);
      assert.deepEqual(
        [even.progress.state, even.progress.goal?.outcome?.verdict],
        ['running', 'inconclusive'],
      );
    });

    it('without a difference goes on until its time is over, then pauses', () => {
      const even = look(test, started(test), rewarded(0.1, 0.1), second);
      assert.equal(even.progress.state, 'running');
      const over = look(test, even.progress, rewarded(0.1, 0.1), 3600 * second);
      assert.deepEqual(
        [over.progress.state, say(over.progress.reason ?? [])],
        ['paused', 'Its time is over, and nothing was decided.'],
      );
      const resumed = decided(test, over.progress, 'resume', 3600 * second).progress;
      assert.equal(look(test, resumed, rewarded(0.1, 0.1), 3700 * second).progress.state, 'running');
    });

    it('does not promote what fails: a check guards it', () => {
      const seen = { ...rewarded(0.2, 0.1), candidate: arm(4000, 400) };
      assert.equal(look(test, started(test), seen, second).progress.state, 'rolledBack');
      const slow = { ...rewarded(0.2, 0.1), candidate: arm(4000, 0, 50) };
      assert.equal(
        look(test, started(test), slow, second).progress.state,
        'running',
        'not yet: a limit of 3',
      );
    });

    it('compares error rates and quality, too', () => {
      const errors = rolloutOf({ strategy: 'abTest', goal: 'errorRate', checks: [] });
      const fewer = observed({ candidate: arm(3000, 3), stable: arm(3000, 90) });
      assert.equal(look(errors, started(errors), fewer, second).progress.state, 'promoted');
      const quality = rolloutOf({ strategy: 'abTest', goal: 'quality', checks: [] });
      const off = (by: number) => momentsOf(Array.from({ length: 500 }, (_, index) => by + (index % 7) / 10));
      const nearer = observed({
        sample: {
          drift: null,
          quality: { measure: 'absoluteError', candidate: off(1), stable: off(2) },
          rewards: { candidate: noMoments, stable: noMoments },
        },
      });
      assert.equal(look(quality, started(quality), nearer, second).progress.state, 'promoted');
    });
  });

  it('shadow: gets no request, and is promoted when it agrees', () => {
    const shadow = rolloutOf({ strategy: 'shadow', share: 40, checks: [{ metric: 'agreement', min: 0.99 }] });
    const first = begin(shadow, 'Ana', [], 0).progress;
    assert.deepEqual([first.share, first.shadowShare], [0, 0.4]);
    const few = look(shadow, first, observed({ comparedRows: 50, equalRows: 50 }), second);
    assert.equal(few.progress.state, 'running');
    const agreed = look(shadow, first, observed({ comparedRows: 5000, equalRows: 4990 }), second);
    assert.equal(agreed.progress.state, 'promoted');
    const differs = look(shadow, first, observed({ comparedRows: 5000, equalRows: 4500 }), second);
    assert.match(
      say(differs.progress.reason ?? []),
      /agreement of version 4 is 90 % \(5000\); expected: at least 99 %/,
    );
  });

  it('bandit: follows the rewards, leaves each version its part, and never decides', () => {
    const bandit = rolloutOf({ strategy: 'bandit', share: 50, checks: [] });
    const seen = (candidate: number, stable: number) =>
      observed({
        sample: {
          drift: null,
          quality: null,
          rewards: { candidate: ones(500, candidate), stable: ones(500, stable) },
        },
      });
    const up = look(bandit, started(bandit), seen(0.3, 0.1), second);
    assert.deepEqual(
      [up.progress.share, up.progress.state, kinds(up)],
      [0.99, 'running', ['route', 'shareChanged']],
    );
    const down = look(bandit, up.progress, seen(0.1, 0.3), 10 ** 12);
    assert.deepEqual([down.progress.share, down.progress.state], [0.01, 'running']);
    assert.equal(look(bandit, started(bandit), observed({}), second).progress.share, 0.5);
  });

  it('never promotes while a check fails or cannot judge, and never leads more requests than the plan says', () => {
    const count = fc.integer({ min: 0, max: 5000 });
    const traffic = fc
      .record({
        requests: count,
        bad: fc.double({ min: 0, max: 0.3, noNaN: true }),
        latency: fc.integer({ min: 1, max: 50 }),
      })
      .map(({ requests, bad, latency }) => arm(requests, Math.floor(requests * bad), latency));
    const observation: fc.Arbitrary<RolloutObservation> = fc
      .record({
        candidate: traffic,
        stable: traffic,
        crashes: fc.constantFrom(0, 0, 0, 0, 1).map((unknown) => ({ candidate: 0, unknown, before: 0 })),
        compared: count,
      })
      .map(({ compared, ...seen }) => observed({ ...seen, comparedRows: compared, equalRows: compared }));
    const event = fc.oneof(
      { weight: 8, arbitrary: observation },
      { weight: 1, arbitrary: fc.constantFrom('pause' as const, 'resume' as const) },
    );
    const plan = fc.record({
      strategy: fc.constantFrom('canary' as const, 'shadow' as const, 'abTest' as const),
      goal: fc.constant('errorRate' as const),
      share: fc.integer({ min: 1, max: 100 }),
      steps: fc.array(
        fc.record({ share: fc.integer({ min: 1, max: 100 }), hold: fc.constantFrom('1s', '5s', 'confirm') }),
        { minLength: 1, maxLength: 4 },
      ),
      checks: fc.constantFrom(
        [{ metric: 'errorRate' as const }, { metric: 'latencyP99' as const, maxRatio: 2, failureLimit: 2 }],
        [{ metric: 'errorRate' as const, max: 0.1, failureLimit: 3, inconclusiveLimit: 2 }],
        [
          { metric: 'errorRate' as const, dryRun: true },
          { metric: 'latencyP50' as const, max: 20 },
        ],
      ),
    });
    let promotions = 0;
    fc.assert(
      fc.property(plan, fc.array(event, { maxLength: 40 }), (input, events) => {
        const rollout = rolloutOf({ ...input, checks: [...input.checks] });
        const limit =
          rollout.plan.strategy === 'shadow'
            ? 0
            : rollout.plan.strategy === 'canary'
              ? Math.max(...rollout.plan.steps.map(({ share }) => share / 100))
              : rollout.plan.share / 100;
        let progress = begin(rollout, 'Ana', [], 0).progress;
        for (const [index, happened] of events.entries()) {
          const now = (index + 1) * second;
          const before = progress;
          const turn =
            typeof happened === 'string'
              ? decide(rollout, progress, { decision: happened, who: 'Ana', why: '' }, now)
              : look(rollout, progress, happened, now);
          if (turn === null) continue;
          progress = turn.progress;
          if (isOver(before)) assert.deepEqual(turn.actions, []);
          if (!isOver(progress)) assert.ok(progress.share <= limit);
          if (progress.state === 'rolledBack') assert.equal(progress.share + progress.shadowShare, 0);
          if (progress.state === 'paused') assert.ok(progress.waitsFor !== null && progress.reason !== null);
          if (progress.state === 'promoted' && before.state !== 'promoted' && typeof happened !== 'string') {
            promotions += 1;
            for (const [at, check] of rollout.plan.checks.entries()) {
              if (!check.dryRun) assert.equal(progress.checks[at]?.outcome?.verdict, 'passed');
            }
          }
          const changed = turn.actions.some(({ type }) => type === 'route');
          if (before.share !== progress.share || before.shadowShare !== progress.shadowShare)
            assert.ok(changed);
        }
      }),
      { numRuns: 500, seed: 4 },
    );
    assert.ok(promotions > 10, `the cases promote, too: ${promotions}`);
  });
});
