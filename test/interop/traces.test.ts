import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, textAt } from '../engine/answers.ts';
import { openTrackingEngine, type TrackingEngine } from '../engine/trackingEngine.ts';
import { pythonWithPeers } from '../python.ts';
import { runPython } from './registryPython.ts';

const script = readFileSync(join(import.meta.dirname, '../fixtures/python/traces_scenario.py'), 'utf8');

describe('Tracing with the real Python client', () => {
  let engine: TrackingEngine;
  let seen: unknown;

  before(async function () {
    const python = pythonWithPeers(this);
    this.timeout(180_000);
    engine = await openTrackingEngine();
    seen = await runPython(python, script, engine);
  });
  after(() => engine?.close());

  const expect = (path: string, expected: unknown) => assert.deepEqual(at(seen, path), expected);
  const found = (query: string) => {
    const search = at(seen, 'search');
    assert.ok(typeof search === 'object' && search !== null);
    return new Map(Object.entries(search)).get(query);
  };

  it('keeps nested spans, with what went in and out of them', () => {
    expect('nested', {
      state: 'OK',
      experiment: true,
      request: '{"question": "wind"}',
      response: '{"answer": 42}',
      client_request_id: 'request-7',
      took: true,
      user: 'ana',
      run: true,
      team: 'demand',
      location: true,
      spans: ['answer', 'find', 'write'],
      parents: [true, true],
      types: ['UNKNOWN', 'RETRIEVER', 'LLM'],
      inputs: { question: 'wind' },
      outputs: { text: '42' },
      attributes: ['grüße', 3],
      events: [['first token', { wait: 0.25 }]],
    });
  });

  it('keeps exceptions, coroutines and threads', () => {
    expect('raised', 'no wind');
    expect('failed', { state: 'ERROR', status: 'ValueError: no wind', exception: 'no wind' });
    expect('coroutine', '"SUN"');
    expect('threads', ['thread-0', 'thread-1', 'thread-2', 'thread-3']);
  });

  it('finds traces by attributes, tags, metadata, times and spans', () => {
    const all: readonly (readonly [string, readonly string[]])[] = [
      ["status = 'ERROR'", ['fail']],
      ["trace.status != 'OK'", ['fail']],
      ["attributes.name = 'answer'", ['answer']],
      ["name ILIKE 'ANSW%'", ['answer']],
      ["tags.team = 'demand'", ['answer']],
      ["tag.`team` LIKE 'dem%'", ['answer']],
      ["metadata.`mlflow.trace.session` = 'monday'", ['answer']],
      ["request_metadata.`mlflow.trace.user` = 'ana'", ['answer']],
      ["client_request_id = 'request-7'", ['answer']],
      ['tag.team IS NOT NULL', ['answer']],
      ['execution_time > 100000', []],
      ["span.name = 'find'", ['answer']],
      ["span.type = 'LLM'", ['answer']],
      ["span.status = 'ERROR'", ['fail']],
      ["span.name = 'find' AND span.type = 'RETRIEVER'", ['answer']],
      ["span.name = 'find' AND span.type = 'LLM'", []],
      ["span.attributes.index LIKE '%grüße%'", ['answer']],
      ["trace.text LIKE '%page about wind%'", ['answer']],
    ];
    for (const [query, names] of all) assert.deepEqual(found(query), names, query);
    const search = at(seen, 'search');
    assert.ok(typeof search === 'object' && search !== null);
    for (const [query, names] of Object.entries(search)) {
      if (/^request_id|^timestamp_ms/.test(query)) assert.deepEqual(names, ['answer'], query);
      if (query.startsWith('timestamp <')) assert.deepEqual(names, [], query);
    }
    expect('unnamed', 4);
    expect('of_run', ['answer']);
    expect('elsewhere', []);
    expect('table.rows', 7);
  });

  it('orders them', () => {
    expect('ordered', ['thread-3', 'thread-2', 'thread-1', 'thread-0', 'fail', 'ask_later', 'answer']);
    expect('oldest', ['answer']);
    expect('by_tag', ['answer']);
  });

  it('says what is wrong with a filter', () => {
    assert.match(textAt(seen, 'bad_key.message'), /Invalid attribute key 'colour'/);
    expect('bad_clause.code', 'INVALID_PARAMETER_VALUE');
  });

  it('sets and deletes tags', () => {
    expect('tags', ['yes', null]);
    expect('no_tag.code', 'RESOURCE_DOES_NOT_EXIST');
    expect('no_trace', null);
  });

  it('links traces to runs', () => {
    expect('linked', ['answer', 'fail']);
  });

  it('keeps feedback and expectations', () => {
    expect('assessments', [
      ['right', true, false],
      ['expected', { answer: [42] }, null],
      ['right', false, true],
    ]);
    expect('judged', ['answer']);
    expect('valid_again', true);
  });

  it('pages through more than a hundred without a gap or a repeat', () => {
    expect('pages', [100, 100, 50]);
    expect('all', true);
  });

  it('deletes traces by id and by age, their files too', () => {
    expect('deleted_ids', 3);
    expect('deleted_oldest', 7);
    expect('oldest_gone', null);
    expect('left', 240);
    expect('delete_nothing.code', 'INVALID_PARAMETER_VALUE');
    const experiment = engine.tracking.experimentByName('many');
    assert.equal(engine.artifacts.list(experiment.artifactLocation, 'traces').length, 240);
  });

  it('meets no unforeseen error', () => {
    assert.deepEqual(engine.unforeseen, []);
  });
});
