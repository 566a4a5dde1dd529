import assert from 'node:assert/strict';
import { type Answer, at, listAt, textAt } from './answers.ts';
import { currentTraceFile, oldTraceFile } from './traceFile.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

const day = '2025-01-02T03:04:05.678Z';

describe('Traces over HTTP', () => {
  let engine: TrackingEngine;
  beforeEach(async () => {
    engine = await openTrackingEngine();
  });
  afterEach(() => engine.close());

  const ask = async (method: string, path: string, fields?: object): Promise<Answer> => {
    const response = await engine.fetch(`/api/${path}`, {
      method,
      ...(fields && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const message = (id: string, fields: object = {}, experimentId = '0') => ({
    trace: {
      trace_info: {
        trace_id: id,
        trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: experimentId } },
        request_time: day,
        execution_duration: '0.5s',
        state: 'OK',
        ...fields,
      },
    },
  });
  const record = (id: string, fields: object = {}) => ask('POST', '3.0/mlflow/traces', message(id, fields));
  const search = (fields: object = {}) =>
    ask('POST', '3.0/mlflow/traces/search', {
      locations: [{ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '0' } }],
      ...fields,
    });
  const idsOf = ({ body }: Answer) => listAt(body, 'traces').map((trace) => textAt(trace, 'trace_id'));
  const upload = async (path: string, text: string) => {
    const response = await engine.fetch(`/api/2.0/mlflow-artifacts/artifacts/${path}`, {
      method: 'PUT',
      body: text,
    });
    assert.equal(response.status, 200);
  };

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

  it('reads the spans that MLflow 3 uploads, searches them and gives them back', async () => {
    await record('tr-1');
    await record('tr-2');
    assert.equal((await ask('GET', '3.0/mlflow/traces/get?trace_id=tr-1')).status, 404);
    await upload('0/traces/tr-1/artifacts/traces.json', currentTraceFile);
    const { body } = await ask('GET', '3.0/mlflow/traces/get?trace_id=tr-1');
    const [root, child] = listAt(body, 'trace.spans');
    assert.deepEqual(root, {
      trace_id: 'OlYw4LUdef6Pcsev1CvcAA==',
      span_id: 'PhOOuvxfqO4=',
      name: 'answer',
      start_time_unix_nano: '1795252042404823251',
      end_time_unix_nano: '1795252042475460843',
      attributes: [
        { key: 'mlflow.spanType', value: { string_value: 'CHAIN' } },
        {
          key: 'mlflow.spanInputs',
          value: {
            kvlist_value: {
              values: [
                {
                  key: 'q',
                  value: {
                    array_value: {
                      values: [{ int_value: 1 }, { double_value: 2.5 }, { bool_value: true }, {}],
                    },
                  },
                },
              ],
            },
          },
        },
        { key: 'plain', value: { string_value: 'no JSON' } },
      ],
      events: [
        {
          time_unix_nano: '1795252042474302720',
          name: 'seen',
          attributes: [
            { key: 'k', value: { int_value: 1 } },
            { key: 'odd', value: { string_value: 'NaN' } },
          ],
        },
      ],
      status: { message: 'no "1795252042474302720"', code: 'STATUS_CODE_ERROR' },
    });
    assert.equal(at(child, 'parent_span_id'), 'PhOOuvxfqO4=');
    assert.equal(at(child, 'end_time_unix_nano'), undefined);
    const batch = await ask('GET', '3.0/mlflow/traces/batchGet?trace_ids=tr-1&trace_ids=tr-2&trace_ids=none');
    assert.deepEqual(
      listAt(batch.body, 'traces').map((trace) => textAt(trace, 'trace_info.trace_id')),
      ['tr-1'],
    );
    const partial = await ask('GET', '3.0/mlflow/traces/get?trace_id=tr-2&allow_partial=true');
    assert.deepEqual(listAt(partial.body, 'trace.spans'), []);
    const infos = await ask('POST', '3.0/mlflow/traces/batchGetInfos', {
      trace_ids: ['tr-2', 'tr-1', 'x', 'tr-2'],
    });
    assert.deepEqual(
      listAt(infos.body, 'trace_infos').map((trace) => textAt(trace, 'trace_id')),
      ['tr-2', 'tr-1'],
    );
    for (const [filter, found] of [
      ["span.name = 'answer' AND span.status = 'ERROR'", true],
      ["span.name = 'write' AND span.status = 'ERROR'", false],
      ["span.type IN ('LLM', 'TOOL')", true],
      ["span.attributes.model = 'grüße'", true],
      ["span.attributes.model != 'other'", true],
      ["span.attributes.mlflow.spanInputs LIKE '%2.5%'", true],
      ["text ILIKE '%NO json%'", true],
      ["span.content LIKE '%nowhere%'", false],
    ] as const) {
      assert.deepEqual(idsOf(await search({ filter })), found ? ['tr-1'] : [], filter);
    }
  });

  it('reads the spans that MLflow 2 uploads', async () => {
    await record('tr-1');
    await upload('0/traces/tr-1/artifacts/traces.json', oldTraceFile);
    const { body } = await ask('GET', '3.0/mlflow/traces/get?trace_id=tr-1');
    const [span] = listAt(body, 'trace.spans');
    assert.equal(at(span, 'span_id'), 'PhOOuvxfqO4=');
    assert.equal(at(span, 'trace_id'), 'OlYw4LUdef6Pcsev1CvcAA==');
    assert.equal(at(span, 'start_time_unix_nano'), '1795252042404823251');
    assert.deepEqual(idsOf(await search({ filter: "span.type = 'TOOL'" })), ['tr-1']);
  });

  it('gives a web page the spans of a trace, and what was attached to it, as files', async () => {
    await record('tr-1');
    await upload('0/traces/tr-1/artifacts/traces.json', currentTraceFile);
    await upload('0/traces/tr-1/artifacts/attachments/a.txt', 'attached');
    await upload('0/traces/tr-1/artifacts/other.txt', 'not attached');
    for (const major of [2, 3]) {
      const file = (query: string) => engine.fetch(`/ajax-api/${major}.0/mlflow/get-trace-artifact?${query}`);
      const spans = await file('request_id=tr-1');
      assert.equal(spans.headers.get('content-disposition'), 'attachment; filename=traces.json');
      assert.equal(await spans.text(), currentTraceFile);
      assert.equal(await (await file('request_id=tr-1&path=a.txt')).text(), 'attached');
      for (const [query, status] of [
        ['', 400],
        ['request_id=none', 404],
        ['request_id=tr-1&path=other.txt', 404],
        ['request_id=tr-1&path=../other.txt', 400],
      ] as const) {
        assert.equal((await file(query)).status, status, query);
      }
    }
  });

  it('reads spans with a text of millions of characters', async () => {
    await record('tr-1');
    const image = '\\u0041='.repeat(3_000_000);
    await upload('0/traces/tr-1/artifacts/traces.json', currentTraceFile.replace('no JSON', image));
    assert.deepEqual(idsOf(await search({ filter: "span.attributes.plain LIKE 'A=A=%'" })), ['tr-1']);
  });

  it('takes a file that holds no spans for a trace without any', async () => {
    await record('tr-1');
    for (const text of ['', '[]', '{"spans": 3}', '{"spans": [{"name": 5}]}', 'null', '\u0000']) {
      await upload('0/traces/tr-1/artifacts/traces.json', text);
      assert.equal((await ask('GET', '3.0/mlflow/traces/get?trace_id=tr-1')).status, 404);
    }
    await upload('5/traces/tr-1/artifacts/traces.json', currentTraceFile);
    await upload('0/traces/none/artifacts/traces.json', currentTraceFile);
    assert.deepEqual(idsOf(await search({ filter: "span.name = 'answer'" })), []);
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
    const { body } = await engine.call('POST', '/runs/create', { experiment_id: '0' });
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
    engine.database.transaction(() => engine.database.prepare('DELETE FROM runs').run());
    assert.deepEqual(engine.database.prepare('SELECT * FROM trace_runs').all(), []);

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
      assert.deepEqual(engine.artifacts.list('mlflow-artifacts:/0', 'traces'), []);
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
    assert.equal(engine.artifacts.list('mlflow-artifacts:/0', '')[0]?.path, 'keep.txt');
  });

  it('takes no trace for a deleted experiment, and still finds those that it had', async () => {
    await record('tr-1');
    await engine.call('POST', '/experiments/delete', { experiment_id: '0' });
    assert.match(textAt((await record('tr-2')).body, 'message'), /must be in the 'active' state/);
    assert.deepEqual(idsOf(await search()), ['tr-1']);
    await engine.call('POST', '/experiments/restore', { experiment_id: '0' });
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
    engine.database.transaction(() => engine.database.prepare('DELETE FROM experiments').run());
    const tables = [
      'traces',
      'trace_tags',
      'trace_metadata',
      'trace_runs',
      'trace_spans',
      'trace_assessments',
    ];
    for (const table of tables) {
      const left = engine.database.prepare<[], { readonly n: number }>(`SELECT COUNT(*) AS n FROM ${table}`);
      assert.equal(left.get()?.n, 0, table);
    }
  });

  it('keeps feedback and expectations, changes them and lets one override another', async () => {
    await record('tr-1', { assessments: [{ assessment_name: 'early', feedback: { value: 0.5 } }] });
    const path = '3.0/mlflow/traces/tr-1/assessments';
    const make = (fields: object) => ask('POST', path, { assessment: fields });
    const feedback = {
      assessment_name: 'right',
      feedback: { value: true },
      rationale: 'seen',
      metadata: { a: '1' },
    };
    const made = await make(feedback);
    const id = textAt(made.body, 'assessment.assessment_id');
    assert.match(id, /^a-[0-9a-f]{32}$/);
    const later = await make({ ...feedback, feedback: { value: false }, overrides: id });
    assert.equal(at((await ask('GET', `${path}/${id}`)).body, 'assessment.valid'), false);
    assert.deepEqual(idsOf(await search({ filter: "feedback.right = 'true'" })), []);
    const expected = await make({
      assessment_name: 'expected',
      expectation: { serialized_value: { serialization_format: 'JSON_FORMAT', value: '{"a": 1}' } },
    });
    const expectedId = textAt(expected.body, 'assessment.assessment_id');
    const changed = await ask('PATCH', `${path}/${id}`, {
      assessment: {
        assessment_name: 'renamed',
        feedback: { value: 'yes' },
        rationale: 'not in the mask',
        metadata: { b: '2' },
      },
      update_mask: 'assessmentName,feedback,metadata',
    });
    assert.equal(at(changed.body, 'assessment.assessment_name'), 'renamed');
    assert.deepEqual(at(changed.body, 'assessment.feedback'), { value: 'yes' });
    assert.equal(at(changed.body, 'assessment.rationale'), 'seen');
    assert.deepEqual(at(changed.body, 'assessment.metadata'), { a: '1', b: '2' });
    const crossed = await ask('PATCH', `${path}/${expectedId}`, {
      assessment: { feedback: { value: 1 } },
      update_mask: 'feedback',
    });
    assert.match(textAt(crossed.body, 'message'), /Cannot update feedback value on an Expectation/);
    await ask('DELETE', `${path}/${textAt(later.body, 'assessment.assessment_id')}`);
    assert.equal(at((await ask('GET', `${path}/${id}`)).body, 'assessment.valid'), true);
    for (const [filter, found] of [
      ['feedback.early > 0.4', true],
      ['feedback.early < 0.4', false],
      ["feedback.early = '0.5'", true],
      ["feedback.renamed LIKE 'y%'", true],
      ['feedback.right IS NULL', true],
      ['expectation.expected IS NOT NULL', true],
      ['feedback.expected IS NOT NULL', false],
    ] as const) {
      assert.deepEqual(idsOf(await search({ filter })), found ? ['tr-1'] : [], filter);
    }
    const info = await ask('GET', '3.0/mlflow/traces/tr-1');
    assert.deepEqual(
      listAt(info.body, 'trace.trace_info.assessments').map((one) => textAt(one, 'assessment_name')),
      ['early', 'renamed', 'expected'],
    );
    for (const [method, place, fields] of [
      ['POST', path, {}],
      ['POST', path, { assessment: { assessment_name: 'a' } }],
      ['POST', path, { assessment: { feedback: { value: 1 } } }],
      ['PATCH', `${path}/${id}`, { assessment: {} }],
    ] as const) {
      assert.equal((await ask(method, place, fields)).status, 400);
    }
    assert.equal((await make({ ...feedback, overrides: 'a-none' })).status, 404);
    assert.equal((await ask('GET', `${path}/a-none`)).status, 404);
    assert.equal((await ask('DELETE', `${path}/a-none`)).status, 200);
    assert.equal(
      (await ask('POST', '3.0/mlflow/traces/none/assessments', { assessment: feedback })).status,
      404,
    );
  });

  it('tells an expected list or object as JSON inside a text, and anything else as it stands', async () => {
    await record('tr-1');
    const serialized = (value: string) => ({
      serialized_value: { serialization_format: 'JSON_FORMAT', value },
    });
    for (const [expectation, told] of [
      [{ value: { limit: 1, all: [true] } }, serialized('{"limit": 1, "all": [true]}')],
      [{ value: [1] }, serialized('[1]')],
      [serialized('{"a":1}'), serialized('{"a":1}')],
      [{ value: 0 }, { value: 0 }],
      [{ value: 'text' }, { value: 'text' }],
    ] as const) {
      const { body } = await ask('POST', '3.0/mlflow/traces/tr-1/assessments', {
        assessment: { assessment_name: 'expected', expectation },
      });
      assert.deepEqual(at(body, 'assessment.expectation'), told);
    }
  });

  it('asks for the token before it says that it takes no OpenTelemetry', async () => {
    const response = await fetch(`${engine.url}/v1/traces`, { method: 'POST' });
    assert.equal(response.status, 401);
    assert.equal((await engine.fetch('/v1/traces', { method: 'POST' })).status, 404);
    assert.equal((await fetch(`${engine.url}/api/3.0/mlflow/traces/tr-1`)).status, 401);
  });
});
