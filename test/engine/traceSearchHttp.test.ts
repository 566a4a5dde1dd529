import assert from 'node:assert/strict';
import { mostClauses } from '../../src/engine/tracking/filterGrammar.ts';
import { longestPatternBytes, mostOrderings } from '../../src/engine/tracking/searchRules.ts';
import { at, textAt } from './answers.ts';
import { tracesOverHttp } from './tracesOverHttp.ts';

describe('Searches of traces over HTTP', () => {
  const { ask, record, search, idsOf } = tracesOverHttp();

  it('pages by the last trace, so that one that comes meanwhile shifts nothing', async () => {
    for (const n of [1, 2, 3, 4, 5]) await record(`tr-${n}`, { request_time: `2025-01-02T03:04:0${n}Z` });
    const first = await search({ max_results: 2 });
    assert.deepEqual(idsOf(first), ['tr-5', 'tr-4']);
    await record('tr-6', { request_time: '2025-01-02T03:04:06Z' });
    const second = await search({ max_results: 2, page_token: textAt(first.body, 'next_page_token') });
    assert.deepEqual(idsOf(second), ['tr-3', 'tr-2']);
    const third = await search({ max_results: 2, page_token: textAt(second.body, 'next_page_token') });
    assert.deepEqual(idsOf(third), ['tr-1']);
    assert.equal(at(third.body, 'next_page_token'), undefined);
    const other = await search({
      filter: "status = 'OK'",
      page_token: textAt(first.body, 'next_page_token'),
    });
    assert.equal(other.status, 400);
    for (const size of [0, -1, 501]) assert.equal((await search({ max_results: size })).status, 400);
    assert.equal((await ask('POST', '3.0/mlflow/traces/search', {})).status, 400);
  });

  it('orders by attributes, tags and metadata, those without a value last', async () => {
    await record('tr-1', { tags: { t: 'b' }, execution_duration: '3s' });
    await record('tr-2', {
      tags: { t: 'a' },
      execution_duration: '1s',
      request_time: '2025-01-02T03:04:00Z',
    });
    await record('tr-3', { trace_metadata: { 'mlflow.sourceRun': 'r' }, execution_duration: undefined });
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['tag.t', ['tr-2', 'tr-1', 'tr-3']],
      ['tag.t DESC', ['tr-1', 'tr-2', 'tr-3']],
      ['execution_time', ['tr-2', 'tr-1', 'tr-3']],
      ['execution_time_ms DESC', ['tr-1', 'tr-2', 'tr-3']],
      ['timestamp', ['tr-2', 'tr-1', 'tr-3']],
      ['end_time DESC', ['tr-1', 'tr-3', 'tr-2']],
      ['request_id DESC', ['tr-3', 'tr-2', 'tr-1']],
      ['run_id', ['tr-3', 'tr-1', 'tr-2']],
      ['metadata.`mlflow.sourceRun`', ['tr-3', 'tr-1', 'tr-2']],
      ['experiment_id', ['tr-1', 'tr-3', 'tr-2']],
    ];
    for (const [order, expected] of cases) {
      assert.deepEqual(idsOf(await search({ order_by: [order] })), expected, order);
    }
    for (const order of [
      ['span.name'],
      ['feedback.x'],
      ['text'],
      ['status', 'status'],
      ['timestamp', 'timestamp_ms'],
    ]) {
      assert.equal((await search({ order_by: order })).status, 400, order.join());
    }
  });

  it('refuses a filter that means nothing', async () => {
    for (const filter of [
      "colour = 'red'",
      "nothing.colour = 'red'",
      "status > 'OK'",
      'status = 5',
      "timestamp = 'noon'",
      'timestamp IN (1, 2)',
      "tag.a IN ('b')",
      "tag.a > '1'",
      "span.colour = 'red'",
      "span.attributes. = 'x'",
      "prompt = 'a'",
      "prompt LIKE 'a/1'",
      "text = 'a'",
      "feedback.a > 'b'",
      "status = 'OK' OR status = 'ERROR'",
    ]) {
      assert.equal((await search({ filter })).status, 400, filter);
    }
  });

  it('takes as many clauses and orderings as a search may have, and refuses more', async () => {
    await record('tr-1', { tags: { t: 'a' } });
    const clauses = Array.from({ length: mostClauses }, (_, index) =>
      index % 2 === 0 ? `tag.t LIKE '%a'` : `metadata.m${index} IS NULL`,
    );
    const order = Array.from({ length: mostOrderings }, (_, index) => `tag.t${index} DESC`);
    const found = await search({ filter: clauses.join(' AND '), order_by: order });
    assert.deepEqual(idsOf(found), ['tr-1'], JSON.stringify(found.body));
    assert.equal((await search({ filter: [...clauses, "name = 'a'"].join(' AND ') })).status, 400);
    assert.equal((await search({ order_by: [...order, 'status'] })).status, 400);
    const long = 'x'.repeat(longestPatternBytes);
    for (const field of ['name', 'tag.t', 'span.name', 'text', 'feedback.f', 'run_id']) {
      assert.deepEqual(idsOf(await search({ filter: `${field} LIKE '${long}'` })), [], field);
      const refused = await search({ filter: `${field} ILIKE '${long}x'` });
      assert.match(textAt(refused.body, 'message'), /^The pattern for \S+ is longer than 50000 bytes/, field);
      assert.equal(refused.status, 400);
    }
  });
});
