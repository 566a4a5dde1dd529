import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  addTraffic,
  noTraffic,
  trafficOfFirstStep,
  trafficOfNewStep,
} from '../../../src/engine/serving/rolloutObservation.ts';
import { begin, look } from '../../../src/engine/serving/rolloutRules.ts';
import { arm, observed, rolloutOf } from './rolloutCases.ts';

const hold = 1000;
const stepsTo = (last: number) => [
  { share: 50, hold: '1s' },
  { share: last, hold: '1s' },
];
const healthyArm = fc.integer({ min: 150, max: 20_000 }).map((requests) => arm(requests));
const anyArm = fc
  .record({
    requests: fc.integer({ min: 0, max: 5000 }),
    bad: fc.double({ min: 0, max: 0.3, noNaN: true }),
    latency: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ requests, bad, latency }) => arm(requests, Math.floor(requests * bad), latency));

describe('a step that leaves the stable version nothing', () => {
  const rollout = rolloutOf({ steps: stepsTo(100) });
  /** At its last step, by the default checks. */
  const atLastStep = (of = rollout) => {
    const seen = observed({ candidate: arm(500), stable: arm(500) });
    const { progress } = look(of, begin(of, 'Ana', [], 0).progress, seen, hold);
    assert.deepEqual([progress.step, progress.state], [1, 'running']);
    return progress;
  };

  it('passes the default checks when the version is as healthy as the other one was before', () => {
    fc.assert(
      fc.property(healthyArm, healthyArm, (candidate, baseline) => {
        const turn = look(rollout, atLastStep(), observed({ candidate, baseline }), 2 * hold);
        assert.equal(turn.progress.state, 'promoted', turn.progress.checks[0]?.outcome?.verdict);
      }),
    );
  });

  it('judges as if the stable version were asked now what it was asked before', () => {
    const beside = rolloutOf({ steps: stepsTo(99) });
    const ends = new Set<string>();
    fc.assert(
      fc.property(anyArm, anyArm, anyArm, (candidate, before, late) => {
        const stable = addTraffic({ ...noTraffic, stable: before }, { ...noTraffic, stable: late }).stable;
        const alone = look(
          rollout,
          atLastStep(),
          observed({ candidate, stable: late, baseline: before }),
          2 * hold,
        ).progress;
        const both = look(beside, atLastStep(beside), observed({ candidate, stable }), 2 * hold).progress;
        assert.deepEqual([alone.state, alone.checks], [both.state, both.checks]);
        ends.add(alone.state);
      }),
      {
        // One for each end, which chance alone does not bring in every run.
        examples: [
          [arm(10), arm(5000), arm(5000)],
          [arm(5000), arm(5000), arm(5000)],
          [arm(5000, 1500), arm(5000), arm(5000)],
        ],
      },
    );
    assert.deepEqual(ends, new Set(['running', 'promoted', 'rolledBack']));
  });

  it('without anything to compare with pauses, and does not promote', () => {
    fc.assert(
      fc.property(anyArm, (candidate) => {
        let progress = atLastStep();
        for (let look_ = 0; look_ < 10 && progress.state === 'running'; look_ += 1) {
          progress = look(rollout, progress, observed({ candidate }), (2 + look_) * hold).progress;
        }
        assert.equal(progress.state, 'paused');
        assert.equal(progress.waitsFor, 'judgement');
      }),
    );
  });

  it('is the only one that looks back: beside the stable version only what both are asked now counts', () => {
    fc.assert(
      fc.property(anyArm, anyArm, anyArm, (candidate, stable, baseline) => {
        const seen = observed({ candidate, stable });
        const first = begin(rollout, 'Ana', [], 0).progress;
        assert.deepEqual(
          look(rollout, first, { ...seen, baseline }, hold),
          look(rollout, first, { ...seen, baseline: noTraffic.stable }, hold),
        );
      }),
    );
  });

  it('compares with all steps before it, and with the time before the rollout when it is the first one', () => {
    const step = { ...noTraffic, candidate: arm(7), stable: arm(10, 1) };
    const second = trafficOfNewStep(step);
    const third = trafficOfNewStep({ ...second, stable: arm(5) });
    assert.deepEqual(
      [second.candidate.requests, second.stable.requests, third.baseline.requests, third.baseline.failures],
      [0, 0, 15, 1],
    );
    const counted = { ...noTraffic, stable: arm(400) };
    const requestsOf = (...shares: number[]) =>
      trafficOfFirstStep(rolloutOf({ steps: shares.map((share) => ({ share })) }), counted).baseline.requests;
    assert.deepEqual([requestsOf(100), requestsOf(5, 100)], [400, 0]);
  });
});
