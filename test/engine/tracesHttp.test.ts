import assert from 'node:assert/strict';
import { at, listAt, textAt } from './answers.ts';
import { currentTraceFile } from './traceFile.ts';
import { day, tracesOverHttp } from './tracesOverHttp.ts';

describe('Traces over HTTP', () => {
  const { engine, ask, message, record, search, idsOf, upload } = tracesOverHttp();

  it('records a trace and gives it back in both APIs', async () => {
    const fields = {
      client_request_id: 'c',
      request_preview: 'q',
      response_preview: 'r',
      trace_metadata: { m: '1' },
      tags: { 'mlflow.traceName': 'answer' },
    };
    const recorded = await record('tr-1', fields);
    const info = {
      trace_id: 'tr-1',
      trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '0' } },
      request_time: day,
      execution_duration: '0.500s',
      state: 'OK',
      ...fields,
      trace_metadata: { m: '1', 'mlflow.trace.infoFinalized': 'true' },
      tags: {
        'mlflow.artifactLocation': 'mlflow-artifacts:/0/traces/tr-1/artifacts',
        'mlflow.traceName': 'answer',
      },
    };
    assert.deepEqual(recorded, { status: 200, body: { trace: { trace_info: info } } });
    assert.deepEqual((await ask('GET', '3.0/mlflow/traces/tr-1')).body, { trace: { trace_info: info } });
    assert.deepEqual((await ask('GET', '2.0/mlflow/traces/tr-1/info')).body, {
      trace_info: {
        request_id: 'tr-1',
        experiment_id: '0',
        timestamp_ms: Date.parse(day),
        execution_time_ms: 500,
        status: 'OK',
        request_metadata: [
          { key: 'm', value: '1' },
          { key: 'mlflow.trace.infoFinalized', value: 'true' },
        ],
        tags: [
          { key: 'mlflow.artifactLocation', value: 'mlflow-artifacts:/0/traces/tr-1/artifacts' },
          { key: 'mlflow.traceName', value: 'answer' },
        ],
      },
    });
  });

  it('brings a trace that is recorded again up to date', async () => {
    await record('tr-1', { tags: { a: '1' }, trace_metadata: { m: '1' }, request_preview: 'q' });
    const { body } = await record('tr-1', { tags: { b: '2' }, state: 'ERROR', response_preview: 'r' });
    assert.equal(at(body, 'trace.trace_info.state'), 'ERROR');
    assert.equal(at(body, 'trace.trace_info.request_preview'), 'q');
    assert.equal(at(body, 'trace.trace_info.tags.a'), '1');
    assert.equal(at(body, 'trace.trace_info.tags.b'), '2');
    assert.equal(at(body, 'trace.trace_info.trace_metadata.m'), '1');
    assert.deepEqual(idsOf(await search()), ['tr-1']);
  });

  it('cuts keys and values that are too long, as MLflow does', async () => {
    const { body } = await record('tr-1', {
      tags: { ['k'.repeat(300)]: 'v'.repeat(9000) },
      trace_metadata: { m: 'v'.repeat(9000) },
    });
    const tags = at(body, 'trace.trace_info.tags');
    assert.ok(typeof tags === 'object' && tags !== null);
    assert.deepEqual(new Map(Object.entries(tags)).get('k'.repeat(250)), 'v'.repeat(4096));
    assert.equal(at(body, 'trace.trace_info.trace_metadata.m'), 'v'.repeat(250));
  });

  it('refuses a trace that it cannot keep', async () => {
    const refused: readonly (readonly [object, number, RegExp])[] = [
      [{}, 400, /Missing value for required parameter 'trace'/],
      [{ trace: {} }, 400, /trace_info/],
      [{ trace: { trace_info: { trace_id: 'a' } } }, 400, /trace_location/],
      [message(''), 400, /trace_id/],
      [message('../../tr'), 400, /Invalid trace ID/],
      [message('a/b'), 400, /Invalid trace ID/],
      [message('tr', {}, '77'), 404, /No Experiment with id=77/],
      [message('tr', { request_time: 'noon' }), 400, /request_time/],
      [message('tr', { request_time: '1969-12-31T23:59:59Z' }), 400, /Invalid time/],
      [message('tr', { execution_duration: '1 hour' }), 400, /execution_duration/],
      [message('tr', { tags: { a: 1 } }), 400, /'trace.trace_info.tags.a'/],
    ];
    for (const [fields, status, words] of refused) {
      const answer = await ask('POST', '3.0/mlflow/traces', fields);
      assert.equal(answer.status, status, JSON.stringify(fields));
      assert.match(textAt(answer.body, 'message'), words);
    }
  });

  it('begins and ends a trace as MLflow 2 does', async () => {
    const begun = await ask('POST', '2.0/mlflow/traces', {
      experiment_id: '0',
      timestamp_ms: 5000,
      request_metadata: [{ key: 'a', value: '1' }],
      tags: [{ key: 'b', value: '2' }],
    });
    const id = textAt(begun.body, 'trace_info.request_id');
    assert.equal(at(begun.body, 'trace_info.status'), 'IN_PROGRESS');
    assert.equal(at(begun.body, 'trace_info.execution_time_ms'), 0);
    const ended = await ask('PATCH', `2.0/mlflow/traces/${id}`, {
      timestamp_ms: 5600,
      status: 'OK',
      request_metadata: [{ key: 'a', value: '3' }],
      tags: [{ key: 'mlflow.traceName', value: 'old' }],
    });
    assert.equal(at(ended.body, 'trace_info.execution_time_ms'), 600);
    assert.deepEqual(listAt(ended.body, 'trace_info.request_metadata'), [{ key: 'a', value: '3' }]);
    assert.equal(listAt(ended.body, 'trace_info.tags').length, 3);
    const found = await ask(
      'GET',
      `2.0/mlflow/traces?experiment_ids=0&filter=${encodeURIComponent("name = 'old'")}`,
    );
    assert.deepEqual(
      listAt(found.body, 'traces').map((trace) => textAt(trace, 'request_id')),
      [id],
    );
    assert.equal((await ask('PATCH', '2.0/mlflow/traces/none', { timestamp_ms: 1 })).status, 404);
    assert.equal((await ask('GET', '2.0/mlflow/traces')).status, 400);
    for (const time of [-1, Number.MAX_SAFE_INTEGER]) {
      const refused = await ask('POST', '2.0/mlflow/traces', { experiment_id: '0', timestamp_ms: time });
      assert.match(textAt(refused.body, 'message'), /Invalid time/);
    }
  });

  it('sets and deletes tags in both APIs, but not those of the system', async () => {
    await record('tr-1');
    for (const api of ['2.0', '3.0']) {
      const path = `${api}/mlflow/traces/tr-1/tags`;
      assert.deepEqual(await ask('PATCH', path, { key: 'a', value: 'b' }), { status: 200, body: {} });
      assert.deepEqual(idsOf(await search({ filter: "tag.a = 'b'" })), ['tr-1']);
      assert.deepEqual(await ask('DELETE', path, { key: 'a' }), { status: 200, body: {} });
      assert.equal((await ask('DELETE', path, { key: 'a' })).status, 404);
      for (const key of ['', '../up', 'k'.repeat(251), 'mlflow.trace.spansLocation']) {
        assert.equal((await ask('PATCH', path, { key, value: 'b' })).status, 400, key);
      }
      assert.equal((await ask('DELETE', path, { key: 'mlflow.trace.spansLocation' })).status, 400);
      assert.equal((await ask('PATCH', `${api}/mlflow/traces/none/tags`, { key: 'a' })).status, 404);
      assert.equal((await ask('DELETE', `${api}/mlflow/traces/none/tags`, { key: 'a' })).status, 404);
    }
  });

  it('links traces to runs and prompts', async () => {
    const { body } = await engine().call('POST', '/runs/create', { experiment_id: '0' });
    const runId = textAt(body, 'run.info.run_id');
    await record('tr-1');
    await record('tr-2', { trace_metadata: { 'mlflow.sourceRun': runId } });
    await record('tr-3');
    const link = (fields: object) => ask('POST', '2.0/mlflow/traces/link-to-run', fields);
    for (const _ of [1, 2]) {
      assert.equal((await link({ trace_ids: ['tr-1', 'none', 'tr-1'], run_id: runId })).status, 200);
    }
    assert.deepEqual(idsOf(await search({ filter: `run_id = '${runId}'` })).sort(), ['tr-1', 'tr-2']);
    assert.deepEqual(idsOf(await search({ filter: `run_id IN ('${runId}')` })), ['tr-2']);
    assert.equal((await link({ run_id: runId })).status, 400);
    assert.equal((await link({ trace_ids: ['../tr'], run_id: runId })).status, 400);
    const many = Array.from({ length: 101 }, (_, index) => `tr-${index}`);
    assert.match(
      textAt((await link({ trace_ids: many, run_id: runId })).body, 'message'),
      /more than 100 traces/,
    );

    await link({ trace_ids: ['tr-4'], run_id: runId });
    await record('tr-4');
    const linked = await search({ filter: `attribute.run_id = '${runId}'` });
    assert.deepEqual(idsOf(linked).sort(), ['tr-1', 'tr-2', 'tr-4'], 'linked before it was recorded');
    engine().database.transaction(() => engine().database.prepare('DELETE FROM runs').run());
    assert.deepEqual(engine().database.prepare('SELECT * FROM trace_runs').all(), []);

    const prompts = (fields: object) => ask('POST', '2.0/mlflow/traces/link-prompts', fields);
    const versions = [{ name: 'greeting', version: '2' }];
    assert.equal((await prompts({ trace_id: 'tr-3', prompt_versions: versions })).status, 200);
    assert.deepEqual(idsOf(await search({ filter: "prompt = 'greeting/2'" })), ['tr-3']);
    assert.equal((await prompts({ trace_id: 'none', prompt_versions: versions })).status, 404);
    assert.equal((await prompts({ trace_id: 'tr-3' })).status, 400);
  });

  it('deletes traces by id and the oldest by time, in both APIs, with their files', async () => {
    for (const api of ['2.0', '3.0']) {
      for (const n of [1, 2, 3, 4]) await record(`tr-${n}`, { request_time: `2025-01-02T03:04:0${n}Z` });
      await upload('0/traces/tr-1/artifacts/traces.json', currentTraceFile);
      const remove = (fields: object) => ask('POST', `${api}/mlflow/traces/delete-traces`, fields);
      const time = Date.parse('2025-01-02T03:04:03Z');
      for (const wrong of [
        {},
        { experiment_id: '0' },
        { experiment_id: '0', max_timestamp_millis: 1, request_ids: ['tr-1'] },
        { experiment_id: '0', max_traces: 1, request_ids: ['tr-1'] },
        { experiment_id: '0', max_traces: 0, max_timestamp_millis: time },
      ]) {
        assert.equal((await remove(wrong)).status, 400, JSON.stringify(wrong));
      }
      const count = async (fields: object) => at((await remove(fields)).body, 'traces_deleted');
      assert.equal(await count({ experiment_id: '9', request_ids: ['tr-1'] }), 0);
      assert.equal(await count({ experiment_id: '0', max_timestamp_millis: time, max_traces: 2 }), 2);
      assert.deepEqual(idsOf(await search()), ['tr-4', 'tr-3']);
      assert.deepEqual(engine().artifacts.list('mlflow-artifacts:/0', 'traces'), []);
      assert.equal(await count({ experiment_id: '0', request_ids: ['tr-3', 'tr-4', 'none'] }), 2);
      assert.deepEqual(idsOf(await search()), []);
    }
  });

  it('deletes no files but those of the trace, wherever its tag points', async () => {
    await record('tr-1');
    await upload('0/keep.txt', 'kept');
    await ask('PATCH', '3.0/mlflow/traces/tr-1/tags', {
      key: 'mlflow.artifactLocation',
      value: 'mlflow-artifacts:/0',
    });
    await ask('POST', '3.0/mlflow/traces/delete-traces', { experiment_id: '0', request_ids: ['tr-1'] });
    assert.equal(engine().artifacts.list('mlflow-artifacts:/0', '')[0]?.path, 'keep.txt');
  });

  it('takes no trace for a deleted experiment, and still finds those that it had', async () => {
    await record('tr-1');
    await engine().call('POST', '/experiments/delete', { experiment_id: '0' });
    assert.match(textAt((await record('tr-2')).body, 'message'), /must be in the 'active' state/);
    assert.deepEqual(idsOf(await search()), ['tr-1']);
    await engine().call('POST', '/experiments/restore', { experiment_id: '0' });
    assert.equal((await record('tr-2')).status, 200);
  });

  it('leaves nothing of the traces of an experiment that is gone for good', async () => {
    await record('tr-1', {
      tags: { a: 'b' },
      trace_metadata: { c: 'd' },
      assessments: [{ assessment_name: 'right', feedback: { value: true } }],
    });
    await upload('0/traces/tr-1/artifacts/traces.json', currentTraceFile);
    await ask('POST', '2.0/mlflow/traces/link-to-run', { trace_ids: ['tr-1'], run_id: 'elsewhere' });
    engine().database.transaction(() => engine().database.prepare('DELETE FROM experiments').run());
    const tables = [
      'traces',
      'trace_tags',
      'trace_metadata',
      'trace_runs',
      'trace_spans',
      'trace_assessments',
    ];
    for (const table of tables) {
      const left = engine().database.prepare<[], { readonly n: number }>(
        `SELECT COUNT(*) AS n FROM ${table}`,
      );
      assert.equal(left.get()?.n, 0, table);
    }
  });

  it('asks for the token before it says that it takes no OpenTelemetry', async () => {
    const response = await fetch(`${engine().url}/v1/traces`, { method: 'POST' });
    assert.equal(response.status, 401);
    assert.equal((await engine().fetch('/v1/traces', { method: 'POST' })).status, 404);
    assert.equal((await fetch(`${engine().url}/api/3.0/mlflow/traces/tr-1`)).status, 401);
  });
});
