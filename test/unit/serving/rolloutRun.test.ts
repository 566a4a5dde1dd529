import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { noTraffic } from '../../../src/engine/serving/rolloutObservation.ts';
import { createRolloutRun, type RolloutSurroundings } from '../../../src/engine/serving/rolloutRun.ts';
import type { StoredRollout } from '../../../src/engine/serving/rolloutStore.ts';
import type { RolloutTarget } from '../../../src/engine/serving/rolloutTypes.ts';
import { SlipwayError } from '../../../src/protocol/errors.ts';
import { rolloutOf } from './rolloutCases.ts';

const surroundings: RolloutSurroundings = {
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
  record: () => undefined,
  saveLook: () => undefined,
  sample: () => Promise.reject(new SlipwayError('cancelled')),
  inferenceLog: () => '/inference.db',
  warn: () => undefined,
  over: () => undefined,
};
const minute = 60_000;

/** Nobody asks it anything. */
const quietTarget: RolloutTarget = {
  status: () => ({
    state: 'ready',
    port: 1,
    grpcPort: null,
    readySince: 0,
    failure: null,
    crashCount: 0,
    crashedRuns: [],
  }),
  versions: () => [],
  load: async () => ({
    name: 'wine',
    version: 4,
    inputs: [],
    outputs: [],
    exampleRequest: '',
    facts: [],
    warnings: [],
  }),
  unload: async () => undefined,
  route: async () => undefined,
  statistics: () => ({ variants: [], shadows: [], refusedCount: 0 }),
};

describe('a rollout under way', () => {
  it('is where it was when a decision could not be written, so that it can be made again', async () => {
    let isFull = false;
    const rollout = rolloutOf({ steps: [{ share: 50, hold: '1h' }], checks: [] });
    const stored = { ...rollout, who: 'Ana', why: [], progress: null, traffic: noTraffic };
    let over = 0;
    const run = createRolloutRun(stored, {
      ...surroundings,
      record() {
        if (isFull) throw new SlipwayError('diskFull', { path: '/store' });
      },
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

  it('holds a step for as long as it runs: the time does not count while the endpoint is stopped', async () => {
    let now = 0;
    const rollout = rolloutOf({
      steps: [
        { share: 50, hold: '1h' },
        { share: 90, hold: '1h' },
      ],
      checks: [],
    });
    let kept: StoredRollout = { ...rollout, who: 'Ana', why: [], progress: null, traffic: noTraffic };
    const open = () =>
      createRolloutRun(kept, {
        ...surroundings,
        clock: { now: () => now, after: () => () => undefined },
        target: () => quietTarget,
        record: (_, progress, traffic) => {
          kept = { ...kept, progress, traffic };
        },
        saveLook: (_, progress, traffic) => {
          kept = { ...kept, progress, traffic };
        },
      });
    const lookAt = async (run: ReturnType<typeof open>, time: number) => {
      now = time;
      await run.lookNow();
      await turn();
      return run.progress()?.step;
    };
    const first = open();
    await first.start();
    assert.equal(await lookAt(first, 50 * minute), 0);
    first.dispose();
    now = 500 * minute;
    const second = open();
    await second.start();
    assert.equal(await lookAt(second, 509 * minute), 0);
    assert.equal(await lookAt(second, 510 * minute), 1);
    second.dispose();
  });
});
