import assert from 'node:assert/strict';
import fc from 'fast-check';
import { at, listAt, textAt } from './answers.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

describe('Logging to a run over HTTP', () => {
  let engine: TrackingEngine;
  let runId: string;
  before(async () => {
    engine = await openTrackingEngine();
  });
  after(() => engine.close());
  beforeEach(async () => {
    runId = textAt(
      (await engine.call('POST', '/runs/create', { experiment_id: '0' })).body,
      'run.info.run_id',
    );
    engine.changed();
  });
  afterEach(() => assert.deepEqual(engine.unforeseen, []));

  const data = async () => at((await engine.call('GET', '/runs/get', { run_id: runId })).body, 'run.data');
  const batch = (fields: object) => engine.call('POST', '/runs/log-batch', { run_id: runId, ...fields });
  const refusal = async (answer: Promise<{ status: number; body: unknown }>) => {
    const { status, body } = await answer;
    assert.equal(status, 400);
    assert.equal(at(body, 'error_code'), 'INVALID_PARAMETER_VALUE');
    return textAt(body, 'message');
  };
  const many = (count: number, make: (index: number) => object) =>
    Array.from({ length: count }, (_, index) => make(index));

  it('tells that the run changed', async () => {
    await engine.call('POST', '/runs/log-metric', { run_id: runId, key: 'a', value: 1, timestamp: 1 });
    assert.deepEqual(engine.changed(), [`0/${runId}`]);
    await refusal(batch({ params: [{ key: 'a$', value: '1' }] }));
    assert.deepEqual(engine.changed(), []);
  });

  it('keeps the latest point by step, then timestamp, then value, and a repeated point once', async () => {
    const point = fc.record({
      key: fc.constantFrom('a', 'b'),
      step: fc.integer({ min: -2, max: 2 }),
      timestamp: fc.integer({ min: 0, max: 2 }),
      value: fc.constantFrom(-1, 0, 0.5, 2, 'NaN'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(point, { maxLength: 8 }), { maxLength: 4 }), async (batches) => {
        const created = await engine.call('POST', '/runs/create', { experiment_id: '0' });
        runId = textAt(created.body, 'run.info.run_id');
        for (const metrics of batches) assert.equal((await batch({ metrics })).status, 200);
        const points = batches.flat();
        for (const key of ['a', 'b']) {
          const own = points.filter((candidate) => candidate.key === key);
          const history = await engine.call('GET', '/metrics/get-history', {
            run_id: runId,
            metric_key: key,
          });
          const distinct = new Set(own.map((p) => JSON.stringify([p.timestamp, p.step, p.value])));
          assert.equal(listAt(history.body, 'metrics').length, distinct.size);
          const rank = (p: (typeof own)[number]) => (typeof p.value === 'string' ? 0 : p.value);
          const latest = own.toSorted(
            (p, q) => p.step - q.step || p.timestamp - q.timestamp || rank(p) - rank(q),
          );
          const kept = listAt(await data(), 'metrics').find((metric) => at(metric, 'key') === key);
          assert.equal(at(kept, 'step'), latest.at(-1)?.step);
          assert.equal(at(kept, 'timestamp'), latest.at(-1)?.timestamp);
          const value = at(kept, 'value');
          const last = latest.at(-1);
          if (last) assert.equal(value === 'NaN' ? 0 : value, rank(last));
        }
      }),
      { numRuns: 25 },
    );
  });

  it('logs a batch as a whole or not at all', async () => {
    await batch({ params: [{ key: 'p', value: 'old' }] });
    const before = await data();
    const message = await refusal(
      batch({
        metrics: [{ key: 'm', value: 1, timestamp: 1 }],
        params: [
          { key: 'new', value: '1' },
          { key: 'p', value: 'other' },
        ],
        tags: [{ key: 't', value: '1' }],
      }),
    );
    assert.equal(
      message,
      `Changing param values is not allowed. Params were already logged='[{'key': 'p', 'old_value': 'old', 'new_value': 'other'}]' for run ID='${runId}'.`,
    );
    assert.deepEqual(await data(), before);
    await refusal(
      batch({ tags: [{ key: 't', value: '1' }], metrics: [{ key: 'm', value: 1, timestamp: -1 }] }),
    );
    assert.deepEqual(await data(), before);
  });

  it('accepts a parameter again with the same value', async () => {
    for (const value of ['x', 'x']) {
      const { status } = await engine.call('POST', '/runs/log-parameter', { run_id: runId, key: 'p', value });
      assert.equal(status, 200);
    }
    assert.match(
      await refusal(engine.call('POST', '/runs/log-parameter', { run_id: runId, key: 'p', value: 'y' })),
      /^Changing param values is not allowed\. Param with key='p' was already logged with value='x'/,
    );
  });

  it('limits the size of a batch', async () => {
    const metrics = many(1001, (step) => ({ key: 'm', value: 1, timestamp: 1, step }));
    const pairs = many(101, (index) => ({ key: `k${index}`, value: 'v' }));
    for (const [fields, limit] of [
      [{ metrics }, 'at most 1000 metrics. Got 1001 metrics.'],
      [{ params: pairs }, 'at most 100 params. Got 101 params.'],
      [{ tags: pairs }, 'at most 100 tags. Got 101 tags.'],
      [
        { metrics: metrics.slice(1), params: pairs.slice(0, 1) },
        'at most 1000 metrics, params, and tags. Got 1001 metrics, params, and tags.',
      ],
    ] as const) {
      assert.ok((await refusal(batch(fields))).includes(limit), limit);
    }
    const repeated = [
      { key: 'q', value: '1' },
      { key: 'q', value: '1' },
    ];
    assert.match(
      await refusal(batch({ params: repeated })),
      /^Duplicate parameter keys have been submitted: \['q'\]/,
    );
    assert.equal((await batch({ metrics: metrics.slice(1) })).status, 200);
  });

  it('takes the keys that MLflow takes', async () => {
    const log = (key: string) =>
      engine.call('POST', '/runs/log-metric', { run_id: runId, key, value: 1, timestamp: 1 });
    for (const key of ['a', 'a/b', 'a b', 'a:b', 'x'.repeat(250), 'é', '日本', 'val/f1.score-2_b']) {
      assert.equal((await log(key)).status, 200, key);
    }
    for (const key of [
      '',
      'a//b',
      '../x',
      '/abs',
      'a/',
      './a',
      '.',
      '..',
      'a/../b',
      '..a',
      'a$',
      'a\\b',
      'a\n',
      'x'.repeat(251),
    ]) {
      await refusal(log(key));
    }
    assert.match(
      await refusal(batch({ metrics: [{ key: 'z$', value: 1, timestamp: 1 }] })),
      /'metrics\[0\]\.name'/,
    );
  });

  it('cuts values that are too long, by characters', async () => {
    await batch({
      params: [{ key: 'p', value: '😀'.repeat(6001) }],
      tags: [{ key: 't', value: 'x'.repeat(8001) }],
    });
    assert.equal(at(await data(), 'params.0.value'), '😀'.repeat(6000));
    const tag = listAt(await data(), 'tags').find((candidate) => at(candidate, 'key') === 't');
    assert.equal(at(tag, 'value'), 'x'.repeat(8000));
  });

  it('writes nothing to a deleted run', async () => {
    await engine.call('POST', '/runs/delete', { run_id: runId });
    const before = await data();
    for (const [path, fields] of [
      ['/runs/log-metric', { key: 'a', value: 1, timestamp: 1 }],
      ['/runs/log-parameter', { key: 'a', value: '1' }],
      ['/runs/set-tag', { key: 'a', value: '1' }],
      ['/runs/log-batch', { tags: [{ key: 'a', value: '1' }] }],
      ['/runs/update', { status: 'FINISHED' }],
    ] as const) {
      assert.equal(
        await refusal(engine.call('POST', path, { run_id: runId, ...fields })),
        `The run ${runId} must be in the 'active' state. Current state is deleted.`,
      );
    }
    assert.deepEqual(await data(), before);
  });

  it('writes metrics of a model to the model too', async () => {
    const created = await engine.call('POST', '/logged-models', {
      experiment_id: '0',
      name: 'm',
      source_run_id: runId,
    });
    const modelId = textAt(created.body, 'model.info.model_id');
    await batch({
      metrics: [
        {
          key: 'acc',
          value: 0.5,
          timestamp: 1,
          step: 1,
          model_id: modelId,
          dataset_name: 'd',
          dataset_digest: '1',
        },
        {
          key: 'acc',
          value: 0.4,
          timestamp: 9,
          step: 0,
          model_id: modelId,
          dataset_name: 'd',
          dataset_digest: '1',
        },
        { key: 'acc', value: 'NaN', timestamp: 1, model_id: modelId },
      ],
    });
    const { body } = await engine.call('GET', `/logged-models/${modelId}`);
    const ids = { model_id: modelId, run_id: runId };
    const dataset = { dataset_name: 'd', dataset_digest: '1' };
    assert.deepEqual(at(body, 'model.data.metrics'), [
      { key: 'acc', value: 'NaN', timestamp: 1, step: 0, ...ids },
      { key: 'acc', value: 0.4, timestamp: 9, step: 0, ...dataset, ...ids },
      { key: 'acc', value: 0.5, timestamp: 1, step: 1, ...dataset, ...ids },
    ]);
  });

  it('keeps every point of a model’s metric, each once', async () => {
    const created = await engine.call('POST', '/logged-models', { experiment_id: '0', name: 'm' });
    const modelId = textAt(created.body, 'model.info.model_id');
    const metrics = many(5, (step) => ({
      key: 'acc',
      value: step % 2,
      timestamp: 1,
      step,
      model_id: modelId,
    }));
    for (let round = 0; round < 2; round += 1) await batch({ metrics });
    const { body } = await engine.call('GET', `/logged-models/${modelId}`);
    assert.deepEqual(
      listAt(body, 'model.data.metrics').map((metric) => [at(metric, 'step'), at(metric, 'value')]),
      metrics.map((_, step) => [step, step % 2]),
    );
  });
});
