import assert from 'node:assert/strict';
import fc from 'fast-check';
import { at, listAt, textAt } from './answers.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

interface Logged {
  readonly name: string;
  readonly score: number | null;
  readonly rate: string | null;
}

const score = fc.option(fc.constantFrom(-1, 0, 0.5, 3, Number.NaN, Number.POSITIVE_INFINITY), { nil: null });
const logged = fc.record({
  name: fc.constantFrom('a', 'b', 'C'),
  score,
  rate: fc.constantFrom('1', '10', null),
});

describe('Searching runs over HTTP', () => {
  let engine: TrackingEngine;
  before(async () => {
    engine = await openTrackingEngine();
  });
  after(() => engine.close());
  afterEach(() => assert.deepEqual(engine.unforeseen, []));

  let experiments = 0;
  /** A new experiment with these runs, the first the newest. Gives its id. */
  const record = (runs: readonly Logged[]): string => {
    experiments += 1;
    const experimentId = engine.tracking.createExperiment({ name: `search ${experiments}`, tags: [] });
    runs.forEach((run, index) => {
      const startTime = 1000 - index;
      const { info } = engine.tracking.createRun({
        experimentId,
        userId: '',
        name: run.name,
        startTime,
        tags: [],
      });
      engine.tracking.logBatch(info.runId, {
        metrics: run.score === null ? [] : [{ key: 'score', value: run.score, timestamp: index, step: 0 }],
        parameters: run.rate === null ? [] : [{ key: 'rate', value: run.rate }],
        tags: [{ key: 'index', value: String(index) }],
      });
    });
    return experimentId;
  };
  /** Indices of the runs that a search finds, over all its pages. */
  const search = async (experimentId: string, fields: object): Promise<readonly number[]> => {
    const found: number[] = [];
    for (let page_token = ''; ; ) {
      const { status, body } = await engine.call('POST', '/runs/search', {
        experiment_ids: [experimentId],
        page_token,
        ...fields,
      });
      assert.equal(status, 200, JSON.stringify(body));
      for (const run of listAt(body, 'runs')) {
        const tag = listAt(run, 'data.tags').find((candidate) => at(candidate, 'key') === 'index');
        found.push(Number(at(tag, 'value')));
      }
      const next = at(body, 'next_page_token');
      if (next === undefined) return found;
      page_token = String(next);
    }
  };

  it('finds what a filter says, as a plain loop over the runs would', async () => {
    const clauses: readonly (readonly [string, (run: Logged) => boolean])[] = [
      ['metrics.score > 0', (run) => run.score !== null && run.score > 0],
      ['metrics.score <= 0.5', (run) => run.score !== null && run.score <= 0.5],
      ['metrics.score = 3', (run) => run.score === 3],
      ['metrics.score != 3', (run) => run.score !== null && run.score !== 3],
      ["params.rate = '1'", (run) => run.rate === '1'],
      ["params.rate != '1'", (run) => run.rate !== null && run.rate !== '1'],
      ["params.rate LIKE '1_'", (run) => run.rate === '10'],
      ['params.rate IS NULL', (run) => run.rate === null],
      ['params.rate IS NOT NULL', (run) => run.rate !== null],
      ["attributes.run_name = 'a'", (run) => run.name === 'a'],
      ["attributes.run_name LIKE 'c'", () => false],
      ["attributes.run_name ILIKE 'c'", (run) => run.name === 'C'],
      ["run_id NOT IN ('a', 'b')", () => true],
      ["`Run Name` != 'a'", (run) => run.name !== 'a'],
      ["status = 'RUNNING'", () => true],
      ['start_time < 0', () => false],
      ["tags.nope != 'x'", () => false],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(logged, { maxLength: 8 }),
        fc.array(fc.constantFrom(...clauses), { maxLength: 3 }),
        async (runs, chosen) => {
          const found = await search(record(runs), { filter: chosen.map(([text]) => text).join(' AND ') });
          const expected = runs.flatMap((run, index) =>
            chosen.every(([, holds]) => holds(run)) ? [index] : [],
          );
          assert.deepEqual(found, expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('orders and pages: missing values last, NaN just before them, then the newest first', async () => {
    const rank = (value: number | null) => (value === null ? 2 : Number.isNaN(value) ? 1 : 0);
    const byScore = (a: Logged, b: Logged, sign: number) =>
      rank(a.score) - rank(b.score) ||
      (rank(a.score) === 0 && a.score !== b.score ? sign * (Number(a.score) - Number(b.score)) : 0);
    const byRate = (a: Logged, b: Logged) =>
      Number(a.rate === null) - Number(b.rate === null) ||
      (a.rate === b.rate ? 0 : String(a.rate) < String(b.rate) ? -1 : 1);
    const byName = (a: Logged, b: Logged) => (a.name === b.name ? 0 : a.name < b.name ? 1 : -1);
    const orders: readonly (readonly [readonly string[], (a: Logged, b: Logged) => number])[] = [
      [[], () => 0],
      [['metrics.score'], (a, b) => byScore(a, b, 1)],
      [['metrics.score DESC'], (a, b) => byScore(a, b, -1)],
      [['params.rate ASC', 'metrics.score DESC'], (a, b) => byRate(a, b) || byScore(a, b, -1)],
      [['run_name DESC', 'params.rate'], (a, b) => byName(a, b) || byRate(a, b)],
      [['end_time', 'metrics.score'], (a, b) => byScore(a, b, 1)],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(logged, { maxLength: 9 }),
        fc.constantFrom(...orders),
        fc.integer({ min: 1, max: 4 }),
        async (runs, [order_by, compare], max_results) => {
          const found = await search(record(runs), { order_by, max_results });
          const expected = runs
            .map((run, index) => ({ run, index }))
            .toSorted((a, b) => compare(a.run, b.run));
          assert.deepEqual(
            found,
            expected.map(({ index }) => index),
          );
        },
      ),
      { numRuns: 120 },
    );
  });

  it('keeps values apart from SQL', async () => {
    const experimentId = record([{ name: "x' OR 1=1 --", score: 1, rate: '%' }]);
    assert.deepEqual(await search(experimentId, { filter: `run_name = "x' OR 1=1 --"` }), [0]);
    assert.deepEqual(await search(experimentId, { filter: `tags."a' OR 1=1 --" = 'x'` }), []);
    assert.deepEqual(await search(experimentId, { order_by: ['metrics.`") DESC; --`'] }), [0]);
  });

  it('sees active, deleted or all runs', async () => {
    const experimentId = record([
      { name: 'a', score: 1, rate: null },
      { name: 'b', score: 1, rate: null },
    ]);
    const { body } = await engine.call('POST', '/runs/search', {
      experiment_ids: [experimentId],
      max_results: 1,
    });
    await engine.call('POST', '/runs/delete', { run_id: textAt(body, 'runs.0.info.run_id') });
    for (const [view, expected] of [
      [undefined, [1]],
      ['ACTIVE_ONLY', [1]],
      ['DELETED_ONLY', [0]],
      [3, [0, 1]],
    ] as const) {
      assert.deepEqual(await search(experimentId, { run_view_type: view }), expected);
    }
    assert.deepEqual(await engine.call('POST', '/runs/search', {}), { status: 200, body: {} });
  });

  it('refuses page sizes and tokens that are none of its own', async () => {
    const runs = [1, 2].map((value) => ({ name: 'a', score: value, rate: null }));
    const experiment_ids = [record(runs)];
    const ask = async (fields: object) =>
      textAt((await engine.call('POST', '/runs/search', { experiment_ids, ...fields })).body, 'message');
    assert.match(await ask({ max_results: 0 }), /must be a positive integer/);
    assert.match(await ask({ max_results: 50_001 }), /Invalid value 50001/);
    assert.equal(await ask({ page_token: '?' }), 'Invalid page token, could not base64-decode');
    const forged = Buffer.from('["x", {"a": 1}]').toString('base64');
    assert.match(await ask({ page_token: forged }), /^Invalid page token/);
    const { body } = await engine.call('POST', '/runs/search', { experiment_ids, max_results: 1 });
    assert.match(
      await ask({ page_token: textAt(body, 'next_page_token'), filter: 'metrics.score > 1' }),
      /another filter or order/,
    );
  });
});
