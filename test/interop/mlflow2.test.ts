import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, textAt } from '../engine/answers.ts';
import { openTrackingEngine, type TrackingEngine } from '../engine/trackingEngine.ts';
import { pythonWithPeers } from '../python.ts';
import { runPython } from './registryPython.ts';

const script = readFileSync(join(import.meta.dirname, '../fixtures/python/mlflow2_flow.py'), 'utf8');

describe('The whole way with the client of MLflow 2', () => {
  let engine: TrackingEngine;
  let seen: unknown;

  before(async function () {
    const python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_MLFLOW2');
    this.timeout(300_000);
    engine = await openTrackingEngine();
    seen = await runPython(python, script, engine);
  });
  after(() => engine?.close());

  const expect = (path: string, expected: unknown) => assert.deepEqual(at(seen, path), expected);

  it('is walked by the last release of MLflow 2', () => {
    assert.match(textAt(seen, 'release'), /^2\.22\./);
  });

  it('creates, finds, deletes and restores experiments', () => {
    expect('experiments', ['Default', 'bikes', 'renamed']);
    expect('by_tag', ['bikes']);
    expect('duplicate', 'RESOURCE_ALREADY_EXISTS');
    expect('deleted_experiments', ['renamed']);
    expect('restored_experiment', 'active');
  });

  it('keeps all that nested runs log', () => {
    expect('run', {
      status: 'FINISHED',
      params: { depth: '3', loss: 'squared', p: 'v', rate: '0.1' },
      metrics: { batch: '1.0', odd: 'nan', r2: '0.9', rmse: '0.2' },
      tags: { colour: 'grün', kind: 'sweep', t: 'w' },
      inputs: [['numbers', { 'mlflow.data.context': 'training' }]],
    });
    expect('history', [
      [0, 1],
      [1, 1 / 2],
      [2, 1 / 3],
      [3, 1 / 4],
      [4, 1 / 5],
    ]);
    expect('changed_parameter', 'INVALID_PARAMETER_VALUE');
  });

  it('searches runs page by page', () => {
    expect('children', ['child-2', 'child-1', 'child-0']);
    expect('found', ['parent']);
    expect('pages', [3, 1]);
  });

  it('keeps artifacts', () => {
    expect('artifacts', ['a.txt', 'all', 'notes']);
    expect('inside', [
      ['all/a.txt', false, 1],
      ['all/deep', true, null],
      ['all/empty.bin', false, null],
    ]);
    expect('downloaded', ['a.txt', 'deep', 'empty.bin']);
    expect('loaded', ['hello', { a: 1 }]);
  });

  it("keeps a model among its run's artifacts, and its history", () => {
    expect('model', {
      uri: true,
      history: ['line'],
      files: [
        'line/MLmodel',
        'line/conda.yaml',
        'line/input_example.json',
        'line/model.pkl',
        'line/python_env.yaml',
        'line/requirements.txt',
        'line/serving_input_example.json',
      ],
      predicts: [7],
      coefficient: 2,
    });
  });

  it('registers versions of it, moves them through stages, and loads them by stage and alias', () => {
    expect('versions', ['1', '2', '3']);
    expect('version', {
      source: true,
      run: true,
      status: 'READY',
      tags: { checked: 'yes', from: 'run' },
      description: 'The first',
    });
    expect('stages', { 1: 'Archived', 2: 'Production', 3: 'Staging' });
    expect('latest', [
      ['Archived', '1'],
      ['Production', '2'],
      ['Staging', '3'],
    ]);
    expect('by_stage', ['2']);
    expect('alias', '2');
    expect('loads', [[7], [7], [7], [7]]);
    expect('no_alias', 'INVALID_PARAMETER_VALUE');
    expect('models', ['wine']);
    expect('of_run', ['1', '2']);
    expect('deleted_version', 'RESOURCE_DOES_NOT_EXIST');
    expect('renamed', ['burgundy']);
    expect('none', []);
  });

  it('traces', () => {
    expect('trace', {
      status: 'OK',
      took: true,
      spans: [
        ['answer', 'UNKNOWN', { pages: ['page about wind'] }],
        ['find', 'RETRIEVER', ['page about wind']],
      ],
      tags: ['demand', 'yes', null],
      table: 2,
    });
    expect('traces', {
      "status = 'ERROR'": ['fail'],
      "tags.team = 'demand'": ['answer'],
      "attributes.name = 'answer'": ['answer'],
      'timestamp_ms > 5': ['fail', 'answer'],
    });
    expect('deleted_traces', 1);
    expect('traces_left', ['fail']);
  });

  it('deletes and restores runs', () => {
    expect('log_after_delete', 'INVALID_PARAMETER_VALUE');
    expect('deleted_runs', ['parent']);
    expect('restored_run', 'active');
  });

  it('meets no unforeseen error', () => {
    assert.deepEqual(engine.unforeseen, []);
  });
});
