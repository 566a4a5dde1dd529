import assert from 'node:assert/strict';
import { at, listAt, textAt } from './answers.ts';
import { currentTraceFile, oldTraceFile } from './traceFile.ts';
import { tracesOverHttp } from './tracesOverHttp.ts';

describe('The spans of traces over HTTP', () => {
  const { engine, ask, record, search, idsOf, upload } = tracesOverHttp();

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
      const file = (query: string) =>
        engine().fetch(`/ajax-api/${major}.0/mlflow/get-trace-artifact?${query}`);
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

  it('takes thousands of spans, and those of another file in their place', async () => {
    await record('tr-1');
    const span = currentTraceFile.slice(
      currentTraceFile.indexOf('{"trace_id"'),
      currentTraceFile.lastIndexOf(',\n  {"trace_id"'),
    );
    const fileOf = (name: string, count: number) =>
      `{"spans": [${Array.from({ length: count }, (_, index) => span.replace('answer', `${name} ${index}`)).join(', ')}]}`;
    const names = () =>
      engine()
        .database.prepare<[], { readonly name: string }>('SELECT name FROM trace_spans ORDER BY position')
        .all()
        .map(({ name }) => name);
    await upload('0/traces/tr-1/artifacts/traces.json', fileOf('first', 1200));
    assert.equal(names().join(), Array.from({ length: 1200 }, (_, index) => `first ${index}`).join());
    await Promise.all([
      upload('0/traces/tr-1/artifacts/traces.json', fileOf('same', 1000)),
      upload('0/traces/tr-1/artifacts/traces.json', fileOf('same', 1000)),
    ]);
    assert.equal(names().length, 1000);
    assert.deepEqual(idsOf(await search({ filter: "span.name = 'same 999'" })), ['tr-1']);
    await record('tr-2');
    await upload('0/traces/tr-2/artifacts/traces.json', fileOf('other', 2));
    const whole = await ask('GET', '3.0/mlflow/traces/get?trace_id=tr-1');
    assert.equal(listAt(whole.body, 'trace.spans').length, 1000);
    assert.equal(at(whole.body, 'trace.spans.999.name'), 'same 999');
    const batch = await ask('GET', '3.0/mlflow/traces/batchGet?trace_ids=tr-2&trace_ids=tr-1');
    assert.deepEqual(
      listAt(batch.body, 'traces').map((trace) => listAt(trace, 'spans').length),
      [2, 1000],
    );
    assert.deepEqual(await ask('GET', '3.0/mlflow/traces/batchGet?trace_ids=none'), {
      status: 200,
      body: {},
    });
    await upload('0/traces/tr-1/artifacts/traces.json', '{"spans": []}');
    assert.deepEqual(
      names().filter((name) => name.startsWith('same')),
      [],
    );
  });

  it('reads numbers with as many digits as Python writes', async () => {
    await record('tr-1');
    const file = currentTraceFile.replace('"k": 1,', '"k": 0.12345678901234568,');
    await upload('0/traces/tr-1/artifacts/traces.json', file);
    const { body } = await ask('GET', '3.0/mlflow/traces/get?trace_id=tr-1');
    assert.deepEqual(at(body, 'trace.spans.0.events.0.attributes.0'), {
      key: 'k',
      value: { double_value: 0.12345678901234568 },
    });
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
});
