import assert from 'node:assert/strict';
import fc from 'fast-check';
import { at, listAt, textAt } from './answers.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

/** A point whose integers may have more digits than a JavaScript number. */
interface Point {
  readonly step: bigint;
  readonly timestamp: bigint;
  /** As it is logged. */
  readonly value: string;
}

const longest = 2n ** 63n - 1n;

describe('Histories of metrics over HTTP', () => {
  let engine: TrackingEngine;
  let runId: string;
  const createRun = async () => {
    const { body } = await engine.call('POST', '/runs/create', { experiment_id: '0' });
    return textAt(body, 'run.info.run_id');
  };
  before(async () => {
    engine = await openTrackingEngine();
  });
  after(() => engine.close());
  beforeEach(async () => {
    runId = await createRun();
  });

  const postText = (path: string, body: string) =>
    engine.fetch(`/api/2.0/mlflow${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
  const getText = async (path: string) => (await engine.fetch(`/api/2.0/mlflow${path}`)).text();
  const logText = (points: readonly Point[], key = 'm') =>
    postText(
      '/runs/log-batch',
      `{"run_id": "${runId}", "metrics": [${points
        .map((p) => `{"key": "${key}", "value": ${p.value}, "timestamp": ${p.timestamp}, "step": ${p.step}}`)
        .join()}]}`,
    );
  const log = async (metrics: readonly object[], run = runId) => {
    const { status } = await engine.call('POST', '/runs/log-batch', { run_id: run, metrics });
    assert.equal(status, 200);
  };
  const many = (count: number, make: (index: number) => object) =>
    Array.from({ length: count }, (_, index) => ({ key: 'm', timestamp: 1, value: 1, ...make(index) }));
  /** The points of an answer, digit by digit. */
  const pointsIn = (text: string): Point[] =>
    [...text.matchAll(/"value":\s?("?[^,"]+"?),\s?"timestamp":\s?(\d+),\s?"step":\s?(-?\d+)/g)].map(
      ([, value = '', timestamp = '', step = '']) => ({
        step: BigInt(step),
        timestamp: BigInt(timestamp),
        value,
      }),
    );
  const history = async (pageSize: number): Promise<Point[]> => {
    const points: Point[] = [];
    for (let token = ''; ; ) {
      const page = await getText(
        `/metrics/get-history?run_id=${runId}&metric_key=m&max_results=${pageSize}&page_token=${encodeURIComponent(token)}`,
      );
      const found = pointsIn(page);
      assert.ok(found.length <= pageSize);
      points.push(...found);
      token = /"next_page_token":\s?"([^"]+)"/.exec(page)?.[1] ?? '';
      if (token === '') return points;
    }
  };
  const compare = (left: bigint | number, right: bigint | number) =>
    left < right ? -1 : left > right ? 1 : 0;
  const rank = ({ value }: Point) => (value === '"NaN"' ? 0 : Number(value));
  const inOrder = (points: readonly Point[]) =>
    points.toSorted(
      (p, q) =>
        compare(p.timestamp, q.timestamp) ||
        compare(p.step, q.step) ||
        compare(rank(p), rank(q)) ||
        Number(p.value === '"NaN"') - Number(q.value === '"NaN"'),
    );
  const once = (points: readonly Point[]) => [
    ...new Map(points.map((p) => [`${p.step} ${p.timestamp} ${p.value}`, p])).values(),
  ];

  const anyStep = fc.oneof(
    fc.bigInt({ min: -3n, max: 6n }),
    fc.bigInt({ min: -(2n ** 63n), max: longest }),
    fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n), longest),
  );
  const anyPoint: fc.Arbitrary<Point> = fc.record(
    {
      step: anyStep,
      timestamp: fc.oneof(fc.bigInt({ min: 0n, max: 5n }), fc.bigInt({ min: 0n, max: longest })),
      value: fc.constantFrom('-1', '0', '0.5', '1.7976931348623157e+308', '"NaN"'),
    },
    { noNullPrototype: true },
  );

  it('have each point once, by timestamp, step and value, in whatever order and size they came', async () => {
    const batches = fc.array(fc.array(anyPoint, { maxLength: 40 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 1, max: 30 }), async (logged, pageSize) => {
        runId = await createRun();
        for (const points of logged) assert.equal((await logText(points)).status, 200);
        assert.deepEqual(await history(pageSize), inOrder(once(logged.flat())));
      }),
      { numRuns: 30 },
    );
  });

  it('begin a page after an infinity, and after what was logged since the page before', async () => {
    await log(many(4, (index) => ({ timestamp: index, step: index, value: 'Infinity' })));
    const first = await getText(`/metrics/get-history?run_id=${runId}&metric_key=m&max_results=2`);
    await log([{ key: 'm', timestamp: 0, step: 9, value: 1 }]);
    const token = encodeURIComponent(/"next_page_token":\s?"([^"]+)"/.exec(first)?.[1] ?? '');
    const second = pointsIn(
      await getText(`/metrics/get-history?run_id=${runId}&metric_key=m&max_results=9&page_token=${token}`),
    );
    assert.deepEqual(
      second.filter(({ step }) => step < 9n).map(({ step }) => step),
      [2n, 3n],
    );
  });

  it('take the largest double for an infinity, as MLflow tells the one for the other', async () => {
    await logText([
      { step: 1n, timestamp: 1n, value: '"Infinity"' },
      { step: 1n, timestamp: 1n, value: '1.7976931348623157e308' },
      { step: 2n, timestamp: 1n, value: '"-Infinity"' },
    ]);
    assert.deepEqual(
      (await history(10)).map(({ value }) => Number(value)),
      [Number.MAX_VALUE, -Number.MAX_VALUE],
    );
  });

  it('keep all digits of steps and timestamps, wherever they are told', async () => {
    const step = 2n ** 62n + 1n;
    const timestamp = longest;
    await logText([{ step, timestamp, value: '0.5' }]);
    const single = `{"run_id": "${runId}", "key": "s", "value": 1, "timestamp": "${timestamp}", "step": ${step}}`;
    assert.equal((await postText('/runs/log-metric', single)).status, 200);
    const told = [{ step, timestamp, value: '0.5' }];
    assert.deepEqual(await history(10), told);
    const run = pointsIn(await getText(`/runs/get?run_id=${runId}`));
    assert.deepEqual(run, [...told, { step, timestamp, value: '1' }]);
    assert.deepEqual(pointsIn(await getText(`/metrics/get-history-bulk?run_id=${runId}&metric_key=m`)), told);
    const sample = `/metrics/get-history-bulk-interval?run_ids=${runId}&metric_key=m`;
    assert.deepEqual(pointsIn(await getText(sample)), told);
    const found = await postText('/runs/search', '{"experiment_ids": ["0"], "max_results": 1}');
    assert.deepEqual(pointsIn(await found.text()), run);
    const { body } = await engine.call('POST', '/logged-models', { experiment_id: '0', name: 'm' });
    const modelId = textAt(body, 'model.info.model_id');
    await postText('/runs/log-metric', `${single.slice(0, -1)}, "model_id": "${modelId}"}`);
    assert.deepEqual(pointsIn(await getText(`/logged-models/${modelId}`)), [{ step, timestamp, value: '1' }]);
  });

  it('take steps as fractions, texts and exponents, and refuse what no int64 holds', async () => {
    const taken = [
      ['1.9', 1n],
      ['-0.5', 0n],
      ['"7"', 7n],
      ['" 8 "', 8n],
      ['"9007199254740993"', 9007199254740993n],
      ['1e18', 10n ** 18n],
      ['true', 1n],
      ['null', 0n],
      [`${-(2n ** 63n)}`, -(2n ** 63n)],
    ] as const;
    for (const [index, [written, step]] of taken.entries()) {
      for (const key of [`a${index}`, `b${index}`]) {
        const metric = `"key": "${key}", "value": 1, "timestamp": 1, "step": ${written}`;
        const answer = key.startsWith('a')
          ? await postText('/runs/log-metric', `{"run_id": "${runId}", ${metric}}`)
          : await postText('/runs/log-batch', `{"run_id": "${runId}", "metrics": [{${metric}}]}`);
        assert.equal(answer.status, 200, written);
        const [point] = pointsIn(await getText(`/metrics/get-history?run_id=${runId}&metric_key=${key}`));
        assert.equal(point?.step, step, written);
      }
    }
    for (const written of ['9223372036854775808', '-9223372036854775809', '1e19', '"abc"', '""', '[]']) {
      const answer = await postText(
        '/runs/log-batch',
        `{"run_id": "${runId}", "metrics": [{"key": "a", "value": 1, "timestamp": 1, "step": ${written}}]}`,
      );
      assert.equal(answer.status, 400, written);
      assert.match(textAt(await answer.json(), 'message'), /'metrics\[0\]\.step'/);
    }
  });

  it('of more points than one piece come as a whole when no page is asked for', async () => {
    const count = 12_345;
    for (let from = 0; from < count; from += 1000) {
      await log(
        many(Math.min(1000, count - from), (index) => ({ step: from + index, timestamp: from + index })),
      );
    }
    await log([{ key: 'm', step: 5, timestamp: 9000, value: 2 }]);
    const whole = await engine.call('GET', '/metrics/get-history', { run_id: runId, metric_key: 'm' });
    assert.equal(at(whole.body, 'next_page_token'), undefined);
    const timestamps = listAt(whole.body, 'metrics').map((metric) => Number(at(metric, 'timestamp')));
    assert.deepEqual(
      timestamps,
      [...Array(count).keys(), 9000].sort((left, right) => left - right),
    );
    const page = { run_id: runId, metric_key: 'm', max_results: 6001 };
    const first = await engine.call('GET', '/metrics/get-history', page);
    const token = textAt(first.body, 'next_page_token');
    const rest = await engine.call('GET', '/metrics/get-history', {
      ...page,
      max_results: 25_000,
      page_token: token,
    });
    assert.deepEqual(
      [...listAt(first.body, 'metrics'), ...listAt(rest.body, 'metrics')],
      listAt(whole.body, 'metrics'),
    );
  });

  it('are empty for an unknown metric or run', async () => {
    for (const fields of [
      { run_id: runId, metric_key: 'nope' },
      { run_id: 'f'.repeat(32), metric_key: 'm' },
    ]) {
      assert.deepEqual(await engine.call('GET', '/metrics/get-history', fields), { status: 200, body: {} });
    }
  });

  it('of several runs come by run, each run once, up to a number of points', async () => {
    const other = await createRun();
    await log(many(3, (step) => ({ step })));
    await log(
      many(3, (step) => ({ step })),
      other,
    );
    const bulk = async (fields: object) => {
      const { body } = await engine.call('GET', '/metrics/get-history-bulk', {
        run_id: [runId, other, runId],
        metric_key: 'm',
        ...fields,
      });
      return listAt(body, 'metrics').map((metric) => [at(metric, 'run_id'), at(metric, 'step')]);
    };
    const all = [runId, other].sort().flatMap((run) => [0, 1, 2].map((step) => [run, step]));
    assert.deepEqual(await bulk({}), all);
    assert.deepEqual(await bulk({ max_results: 4 }), all.slice(0, 4));
  });

  it('of several runs are sampled at the same steps, evenly spaced, and at the ends of each', async () => {
    const other = await createRun();
    const sampled = async (fields: Readonly<Record<string, string | number>>) => {
      const query = Object.entries(fields)
        .map(([name, value]) => `&${name}=${value}`)
        .join('');
      const answer = await engine.fetch(
        `/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids=${runId}&metric_key=m${query}`,
      );
      return listAt(await answer.json(), 'metrics').map((metric) => at(metric, 'step'));
    };
    await log(many(10, (step) => ({ step })));
    assert.deepEqual(await sampled({ max_results: 5 }), [0, 2, 4, 6, 8, 9]);
    assert.deepEqual(await sampled({ max_results: 10 }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(await sampled({ start_step: 3, end_step: 6, max_results: 2 }), [3, 5, 6]);
    assert.deepEqual(await sampled({ start_step: 30, end_step: 60 }), []);
    await log(
      many(20, (step) => ({ step })),
      other,
    );
    assert.deepEqual(await sampled({ run_ids: other, max_results: 5 }), [0, 4, 8, 9, 0, 4, 8, 9, 12, 16, 19]);
  });
});
