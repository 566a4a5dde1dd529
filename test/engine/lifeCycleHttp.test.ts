import assert from 'node:assert/strict';
import { at, textAt } from './answers.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

/** As MLflow 3.17 answers; the rules are those of its SQL store. */
describe('Deleting and restoring over HTTP', () => {
  let engine: TrackingEngine;
  beforeEach(async () => {
    engine = await openTrackingEngine();
  });
  afterEach(() => engine.close());

  const createRun = async (experiment_id: string): Promise<string> => {
    const { body } = await engine.call('POST', '/runs/create', { experiment_id, start_time: 1 });
    return textAt(body, 'run.info.run_id');
  };
  const stageOf = async (run_id: string): Promise<unknown> =>
    at((await engine.call('GET', '/runs/get', { run_id })).body, 'run.info.lifecycle_stage');
  const statusOf = async (path: string, fields: object): Promise<number> =>
    (await engine.call('POST', path, fields)).status;

  it('runs: both may be said again, and a deleted one can be read and nothing else', async () => {
    const run_id = await createRun('0');
    for (const _ of [1, 2]) {
      assert.equal(await statusOf('/runs/delete', { run_id }), 200);
      assert.equal(await stageOf(run_id), 'deleted');
    }
    assert.equal(await statusOf('/runs/update', { run_id, status: 'FINISHED' }), 400);
    assert.equal(await statusOf('/runs/log-metric', { run_id, key: 'a', value: 1, timestamp: 1 }), 400);
    for (const _ of [1, 2]) {
      assert.equal(await statusOf('/runs/restore', { run_id }), 200);
      assert.equal(await stageOf(run_id), 'active');
    }
    assert.equal(await statusOf('/runs/delete', { run_id: 'f'.repeat(32) }), 404);
    assert.equal(await statusOf('/runs/restore', { run_id: 'f'.repeat(32) }), 404);
  });

  it('experiments: all runs go and come back, those that were deleted before, too; neither may be said again', async () => {
    const { body } = await engine.call('POST', '/experiments/create', { name: 'churn' });
    const experiment_id = textAt(body, 'experiment_id');
    const [one, two] = [await createRun(experiment_id), await createRun(experiment_id)];
    await engine.call('POST', '/runs/delete', { run_id: one });
    assert.equal(await statusOf('/experiments/delete', { experiment_id }), 200);
    const again = await engine.call('POST', '/experiments/delete', { experiment_id });
    assert.deepEqual(
      [again.status, at(again.body, 'error_code'), at(again.body, 'message')],
      [404, 'RESOURCE_DOES_NOT_EXIST', `No Experiment with id=${experiment_id} exists`],
    );
    assert.deepEqual([await stageOf(one), await stageOf(two)], ['deleted', 'deleted']);
    assert.equal(await statusOf('/runs/create', { experiment_id, start_time: 1 }), 400);

    const taken = await engine.call('POST', '/experiments/create', { name: 'churn' });
    assert.deepEqual([taken.status, at(taken.body, 'error_code')], [400, 'RESOURCE_ALREADY_EXISTS']);
    const byName = await engine.call('GET', '/experiments/get-by-name', { experiment_name: 'churn' });
    assert.equal(at(byName.body, 'experiment.lifecycle_stage'), 'deleted');

    assert.equal(await statusOf('/experiments/restore', { experiment_id }), 200);
    assert.equal(await statusOf('/experiments/restore', { experiment_id }), 404);
    assert.deepEqual([await stageOf(one), await stageOf(two)], ['active', 'active']);
  });

  it('a run of a deleted experiment can be restored by itself', async () => {
    const { body } = await engine.call('POST', '/experiments/create', { name: 'churn' });
    const experiment_id = textAt(body, 'experiment_id');
    const run_id = await createRun(experiment_id);
    await engine.call('POST', '/experiments/delete', { experiment_id });
    assert.equal(await statusOf('/runs/restore', { run_id }), 200);
    assert.equal(await stageOf(run_id), 'active');
  });
});
