import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, textAt } from '../engine/answers.ts';
import { openTrackingEngine, type TrackingEngine } from '../engine/trackingEngine.ts';
import { pythonWithPeers } from '../python.ts';
import { runPython } from './registryPython.ts';

const script = readFileSync(join(import.meta.dirname, '../fixtures/python/tracking_scenario.py'), 'utf8');
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const sweep = (...numbers: readonly number[]) => numbers.map((n) => `sweep-${String(n).padStart(2, '0')}`);

describe('Tracking with the real Python client', () => {
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

  it('meets no unforeseen error', () => {
    assert.deepEqual(engine.unforeseen, []);
  });

  it('creates, finds, renames, deletes and restores experiments', () => {
    expect('experiment', { id: '1', name: 'bikes', location: 'mlflow-artifacts:/1', stage: 'active' });
    expect('set_again', true);
    expect('other', { name: 'renamed', tags: { a: '1' } });
    expect('by_name', true);
    expect('missing_experiment', null);
    expect('duplicate_experiment.code', 'RESOURCE_ALREADY_EXISTS');
    expect('experiments', ['renamed', 'bikes', 'Default']);
    expect('experiments_by_tag', ['bikes']);
    expect('experiments_by_name', ['Default', 'bikes', 'renamed']);
    expect('deleted_experiments', ['renamed']);
    expect('restored', ['active', {}]);
  });

  it('keeps all that a run logged', () => {
    expect('running', 'RUNNING');
    expect('run.status', 'FINISHED');
    expect('run.ended', true);
    expect('run.artifact_uri', `mlflow-artifacts:/1/${textAt(seen, 'run_id')}/artifacts`);
    expect('run.params', { depth: '3', empty: '', loss: 'squared', p: 'v', rate: '0.1' });
    expect('run.metrics', {
      val_rmse: '0.2',
      train_rmse: '0.25',
      val_f1: '0.75',
      'odd/nan': 'nan',
      'odd/inf': '1.7976931348623157e+308',
      batch: '999.0',
    });
    const tags = at(seen, 'run.tags');
    assert.ok(typeof tags === 'object' && tags !== null);
    assert.deepEqual(
      { ...tags, 'mlflow.user': null },
      {
        colour: 'grün',
        kind: 'baseline',
        'mlflow.note.content': 'A first try',
        'mlflow.runName': 'first',
        'mlflow.user': null,
        one: '1',
        t: 'w',
        two: '2',
      },
    );
    expect('run.inputs', [
      { name: 'hours', source_type: 'code', schema: true, tags: { 'mlflow.data.context': 'training' } },
    ]);
    expect('artifacts', ['d.json']);
  });

  it('refuses to change a parameter', () => {
    assert.match(textAt(seen, 'changed_parameter.message'), /Changing param values is not allowed/);
  });

  it('finds the children of a run', () => {
    expect('child', { parent: true, found: ['child'] });
  });

  it('gives the history of a metric', () => {
    expect('history', [
      [0, 1],
      [1, 1 / 2],
      [2, 1 / 3],
      [3, 1 / 4],
      [4, 1 / 5],
    ]);
    expect('long_history', 1000);
    expect('nan_history', [true]);
    expect('no_history', []);
  });

  it('updates, deletes and restores runs', () => {
    expect('missing_tag.code', 'RESOURCE_DOES_NOT_EXIST');
    expect('updated', ['FAILED', 'first, renamed', 'first, renamed']);
    expect('missing_run.code', 'RESOURCE_DOES_NOT_EXIST');
    assert.match(textAt(seen, 'bad_metric.message'), /would resolve to 'a\/b'/);
    assert.match(textAt(seen, 'log_after_delete.message'), /must be in the 'active' state/);
    expect('deleted_runs', ['child']);
    expect('restored_run', 0.4);
  });

  it('searches runs by metrics, parameters, tags, attributes and datasets', () => {
    expect('search.metric', sweep(24, 23, 22));
    expect('search.param', sweep(7));
    expect('search.param_like', sweep(1, 10, 11, 12));
    expect('search.tag', sweep(20, 15, 10, 5, 0));
    expect('search.tag_null', sweep(1, 2));
    expect('search.tag_not_null', sweep(0, 5));
    expect('search.name_ilike', sweep(0, 1, 2, 4, 5, 6, 7, 8, 9));
    expect('search.status', ['broken']);
    expect('search.in', ['first, renamed', 'child']);
    expect('search.dataset', ['first, renamed']);
    expect('search.order_missing_last', ['broken', 'child', 'first, renamed']);
    assert.match(textAt(seen, 'search.bad.message'), /Expected numeric value type for metric/);
  });

  it('pages through a search without a gap or a repeat', () => {
    const downFrom24 = range(0, 25).map((n) => 24 - n);
    expect('pages', [
      sweep(...downFrom24.slice(0, 7)),
      sweep(...downFrom24.slice(7, 14)),
      sweep(...downFrom24.slice(14, 21)),
      sweep(...downFrom24.slice(21)),
    ]);
  });

  it('keeps logged models with their metrics, parameters, tags and run', () => {
    expect('model.name', 'tree');
    expect('model.status', 'READY');
    expect('model.type', 'classifier');
    expect('model.params', { depth: '3', late: 'yes' });
    expect('model.tags', { extra: '1' });
    expect('model.metrics', [
      ['acc', 0.8, 0, true],
      ['acc', 0.9, 1, true],
    ]);
    expect('model.source', true);
    expect('model.location', true);
    expect('model.outputs', [[true, 2]]);
    expect('deleted_model.code', 'RESOURCE_DOES_NOT_EXIST');
  });

  it('searches logged models', () => {
    expect('model.found', [['tree'], ['tree'], ['tree'], ['tree'], ['forest'], ['tree']]);
    expect('model.ordered', ['tree', 'forest']);
  });
});
