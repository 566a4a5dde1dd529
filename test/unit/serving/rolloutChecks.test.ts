import assert from 'node:assert/strict';
import type { z } from 'zod';
import { judge } from '../../../src/engine/serving/rolloutChecks.ts';
import type { RolloutObservation } from '../../../src/engine/serving/rolloutObservation.ts';
import { rolloutCheck } from '../../../src/protocol/endpointSettings.ts';
import { momentsOf, noMoments } from '../../../src/statistics/moments.ts';
import { normal, seededRandom } from '../statistics/sequences.ts';
import { arm, observed } from './rolloutCases.ts';

const options = { significance: 0.05, smallestPValue: null, look: 1 };
const verdict = (check: z.input<typeof rolloutCheck>, seen: Partial<RolloutObservation>, look = 1) =>
  judge(rolloutCheck.parse(check), observed(seen), { ...options, look }).verdict;
const sample = (part: Partial<NonNullable<RolloutObservation['sample']>>): Partial<RolloutObservation> => ({
  sample: { drift: null, quality: null, rewards: { candidate: noMoments, stable: noMoments }, ...part },
});
const drift = (psi: number, pValue: number) =>
  sample({ drift: { output: 'label', psi, pValue, candidateRows: 500, stableRows: 500 } });

describe('checks of rollouts', () => {
  it('errors: beside the stable version, or below a bound', () => {
    const check = { metric: 'errorRate' as const };
    assert.equal(verdict(check, { candidate: arm(99), stable: arm(900) }), 'inconclusive');
    assert.equal(verdict(check, { candidate: arm(500), stable: arm(99) }), 'inconclusive');
    assert.equal(verdict(check, { candidate: arm(500, 5), stable: arm(9500, 95) }), 'passed');
    assert.equal(verdict(check, { candidate: arm(500, 25), stable: arm(9500, 95) }), 'failed');
    assert.equal(verdict(check, { candidate: arm(500, 0), stable: arm(9500, 950) }), 'passed');
    const bound = { ...check, max: 0.02 };
    assert.equal(verdict(bound, { candidate: arm(500, 5) }), 'passed', 'needs no stable version');
    assert.equal(verdict(bound, { candidate: arm(100, 3) }), 'inconclusive', 'above it, but maybe by chance');
    assert.equal(verdict(bound, { candidate: arm(1000, 60) }), 'failed');
    assert.equal(verdict({ ...check, max: 0 }, { candidate: arm(100, 1) }), 'failed');
    const ratio = { ...check, maxRatio: 3 };
    assert.equal(verdict(ratio, { candidate: arm(1000, 20), stable: arm(1000, 10) }), 'passed');
    assert.equal(verdict(ratio, { candidate: arm(1000, 100), stable: arm(1000, 10) }), 'failed');
  });

  it('latency: by the share of requests beyond the bound, so that noise of a percentile is no failure', () => {
    const random = seededRandom(5);
    const draw = (count: number, median: number) => {
      const latencies: number[] = [];
      for (let request = 0; request < count; request += 1) {
        const one = arm(1, 0, median * Math.exp(0.6 * normal(random)));
        for (const [bucket, number] of one.latencies.entries())
          latencies[bucket] = (latencies[bucket] ?? 0) + number;
      }
      return { requests: count, failures: 0, latencies };
    };
    const check = { metric: 'latencyP99' as const, maxRatio: 1.5 };
    let failures = 0;
    for (let round = 0; round < 200; round += 1) {
      if (verdict(check, { candidate: draw(150, 5), stable: draw(1000, 5) }) === 'failed') failures += 1;
    }
    assert.ok(failures <= 10, `${failures} of 200 without a difference`);
    assert.equal(verdict(check, { candidate: draw(1000, 15), stable: draw(1000, 5) }), 'failed');
    assert.equal(verdict(check, { candidate: draw(1000, 5), stable: arm(10) }), 'inconclusive');
    const bound = { metric: 'latencyP50' as const, max: 8 };
    assert.equal(verdict(bound, { candidate: draw(1000, 5) }), 'passed');
    assert.equal(verdict(bound, { candidate: draw(1000, 15) }), 'failed');
  });

  it('drift: an index above the bound that is no chance, over all looks', () => {
    const check = { metric: 'predictionDrift' as const };
    assert.equal(verdict(check, { sample: null }), 'inconclusive');
    assert.equal(verdict(check, sample({})), 'inconclusive');
    assert.equal(verdict(check, drift(0.05, 1e-9)), 'passed');
    assert.equal(verdict(check, drift(0.3, 1e-9)), 'failed');
    assert.equal(verdict(check, drift(0.3, 0.2)), 'inconclusive');
    assert.equal(verdict(check, drift(0.3, 0.01)), 'failed');
    assert.equal(verdict(check, drift(0.3, 0.01), 10), 'inconclusive', 'the tenth look');
    assert.equal(verdict({ ...check, max: 0.5 }, drift(0.3, 1e-9)), 'passed');
  });

  it('quality and rewards: beside the stable version, or within bounds', () => {
    const zeroOne = (count: number, share: number) =>
      momentsOf(Array.from({ length: count }, (_, index) => (index < count * share ? 1 : 0)));
    const accuracy = (candidate: number, stable: number, count = 1000) =>
      sample({
        quality: { measure: 'accuracy', candidate: zeroOne(count, candidate), stable: zeroOne(1000, stable) },
      });
    const quality = { metric: 'quality' as const };
    assert.equal(verdict(quality, accuracy(0.9, 0.91)), 'passed');
    assert.equal(verdict(quality, accuracy(0.7, 0.9)), 'failed');
    assert.equal(verdict(quality, accuracy(0.99, 0.9)), 'passed', 'better is no failure');
    assert.equal(verdict(quality, accuracy(0.7, 0.9, 50)), 'inconclusive', 'too few labels');
    assert.equal(verdict({ ...quality, min: 0.8 }, accuracy(0.7, 0.9)), 'failed');
    assert.equal(verdict({ ...quality, min: 0.8 }, accuracy(0.79, 0.9)), 'inconclusive');
    assert.equal(verdict({ ...quality, minRatio: 0.95 }, accuracy(0.88, 0.9)), 'passed');
    assert.equal(verdict({ ...quality, minRatio: 0.95 }, accuracy(0.5, 0.9)), 'failed');
    const errors = (by: number) =>
      momentsOf(Array.from({ length: 400 }, (_, index) => by + (index % 5) / 10));
    const off = (candidate: number, stable: number) =>
      sample({ quality: { measure: 'absoluteError', candidate: errors(candidate), stable: errors(stable) } });
    assert.equal(verdict(quality, off(2, 1)), 'failed', 'of errors the lower one is better');
    assert.equal(verdict(quality, off(1, 2)), 'passed');
    const paid = (candidate: number, stable: number) =>
      sample({ rewards: { candidate: errors(candidate), stable: errors(stable) } });
    assert.equal(verdict({ metric: 'reward' }, paid(1, 2)), 'failed');
    assert.equal(verdict({ metric: 'reward' }, paid(2, 1)), 'passed');
    assert.equal(verdict({ metric: 'reward' }, sample({})), 'inconclusive');
    assert.equal(
      verdict(
        { metric: 'reward', min: 0.001 },
        sample({ rewards: { candidate: zeroOne(100, 0), stable: noMoments } }),
      ),
      'inconclusive',
    );
  });

  it('agreement: the share of rows on which a shadow says the same', () => {
    const check = { metric: 'agreement' as const, min: 0.95 };
    assert.equal(verdict(check, { comparedRows: 99, equalRows: 99 }), 'inconclusive');
    assert.equal(verdict(check, { comparedRows: 1000, equalRows: 960 }), 'passed');
    assert.equal(verdict(check, { comparedRows: 1000, equalRows: 800 }), 'failed');
    assert.equal(verdict(check, { comparedRows: 100, equalRows: 94 }), 'inconclusive');
  });

  it('fails by the smallest p-value of all looks, while the candidate is still worse', () => {
    const check = rolloutCheck.parse({ metric: 'errorRate' });
    const seen = observed({ candidate: arm(500, 7), stable: arm(9500, 95) });
    assert.equal(judge(check, seen, options).verdict, 'passed');
    assert.equal(judge(check, seen, { ...options, smallestPValue: 0.01 }).verdict, 'failed');
    const better = observed({ candidate: arm(500, 1), stable: arm(9500, 95) });
    assert.equal(judge(check, better, { ...options, smallestPValue: 0.01 }).verdict, 'passed');
  });
});
