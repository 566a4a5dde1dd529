import assert from 'node:assert/strict';
import { noTraffic } from '../../../src/engine/serving/rolloutObservation.ts';
import { createRolloutRun } from '../../../src/engine/serving/rolloutRun.ts';
import { SlipwayError } from '../../../src/protocol/errors.ts';
import { rolloutOf } from './rolloutCases.ts';

describe('a rollout under way', () => {
  it('is where it was when a decision could not be written, so that it can be made again', async () => {
    let isFull = false;
    const rollout = rolloutOf({ steps: [{ share: 50, hold: '1h' }], checks: [] });
    const stored = { ...rollout, who: 'Ana', why: [], progress: null, traffic: noTraffic };
    let over = 0;
    const run = createRolloutRun(stored, {
      clock: { now: () => 0, after: () => () => undefined },
      target: () => null,
      servable: async () => ({
        name: 'wine',
        version: 4,
        source: { type: 'onnx', file: '/wine.onnx' },
        columns: null,
        example: null,
      }),
      traffic: () => ({ model: 'wine', salt: '', variants: [{ name: 'stable', version: 3, share: 1 }] }),
      record() {
        if (isFull) throw new SlipwayError('diskFull', { path: '/store' });
      },
      saveLook: () => undefined,
      sample: () => Promise.reject(new SlipwayError('cancelled')),
      inferenceLog: () => '/inference.db',
      warn: () => undefined,
      over: () => {
        over += 1;
      },
    });
    await run.start();
    const rollBack = { decision: 'rollBack', who: 'Ana', why: '' } as const;
    isFull = true;
    await assert.rejects(run.decide(rollBack), { kind: 'diskFull' });
    assert.deepEqual([run.progress()?.state, over], ['running', 0]);
    isFull = false;
    assert.equal(await run.decide(rollBack), true);
    assert.deepEqual([run.progress()?.state, over], ['rolledBack', 1]);
  });
});
