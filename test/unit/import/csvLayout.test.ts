import assert from 'node:assert/strict';
import { columnFacts } from '../../../src/worker/import/csv/columnFacts.ts';
import { historyLayout } from '../../../src/worker/import/csv/historyLayout.ts';
import { readRows } from '../../../src/worker/import/csv/rows.ts';
import { runLayout } from '../../../src/worker/import/csv/runLayout.ts';
import { memorySource } from '../../../src/worker/import/tracker/byteSource.ts';

describe('What the columns of a CSV file are', () => {
  it("tells parameters, metrics and tags of MLflow's page apart by the order in which it writes them", () => {
    const page = 'Start Time,Duration,Run ID,Name,Source Type,Source Name,User,Status';
    const cells = '2026-11-21 09:02:05,3.2s,0db72ea62142422da0bf94d2802023c7,a,LOCAL,t.py,me,FINISHED';
    assert.deepEqual(rolesOf(`${page},alpha,zeta,alpha 2,loss,team`, `${cells},1,2,0.5,0.25,blue`), {
      parameter: ['alpha', 'zeta'],
      metric: ['alpha 2', 'loss'],
      tag: ['mlflow.source.type', 'mlflow.source.name', 'team'],
    });
    assert.deepEqual(rolesOf(`${page},loss`, `${cells},0.5`).metric, ['loss']);
    assert.deepEqual(rolesOf(`${page},opt`, `${cells},adam`).parameter, ['opt']);
  });

  it('tells configuration and summary of Weights & Biases apart, texts in the summary included', () => {
    const header =
      'Name,State,Notes,User,Tags,Created,Runtime,Sweep,batch_size,lr,model,artifact/name,best_loss,val_loss';
    const cells = 'x,finished,-,me,,2025-11-13T09:48:11.000Z,9910,,8,0.1,unet,m:v1,0.5,0.75';
    assert.deepEqual(rolesOf(header, cells), {
      parameter: ['batch_size', 'lr', 'model'],
      metric: ['best_loss', 'val_loss'],
      tag: ['mlflow.note.content', 'wandb.tags', 'wandb.sweep_id', 'artifact/name'],
    });
  });

  it('guesses columns of other tables by their names and values', () => {
    const header = 'model,learning_rate,max_depth,test_size,accuracy,val_loss,comment,nothing';
    assert.deepEqual(rolesOf(header, 'rf,0.1,3,0.2,0.9,0.5,good,'), {
      parameter: ['model', 'learning_rate', 'max_depth', 'test_size', 'comment'],
      metric: ['accuracy', 'val_loss'],
      tag: [],
    });
  });

  it('knows a history by its step, and a table of runs by having none', () => {
    assert.deepEqual(wideOf('epoch,loss,val_loss', '0,1,2', '1,0.5,1'), ['loss', 'val_loss']);
    assert.deepEqual(wideOf('epoch,lr,step,loss', '0,,0,1', ',0.1,0,', '0,,1,2'), ['epoch', 'lr', 'loss']);
    assert.deepEqual(wideOf('Step,a - val/loss,a - val/loss__MIN,b - val/loss', '0,1,1,2'), [
      'val/loss',
      'val/loss',
    ]);
    assert.deepEqual(wideOf('Wall time,Step,Value', '1795251718.125,0,1.5'), ['loss']);
    assert.equal(wideOf('model,accuracy', 'rf,0.5'), null);
    assert.equal(wideOf('model,epochs,accuracy', 'rf,10,0.5'), null);
  });

  it('knows a table with one value a line', () => {
    const facts = factsOf('Run,Run ID,metric,step,timestamp,value', 'a,id1,loss,0,1795251718125,1');
    assert.deepEqual(historyLayout(facts, 'x.csv'), {
      ...{ step: 3, time: 4, runId: 1, runName: 0, name: null },
      ...{ long: { metric: 2, value: 5 }, wide: [], untaken: [] },
    });
  });
});

function factsOf(...lines: readonly string[]) {
  const rows = [...readRows(memorySource(new TextEncoder().encode(lines.join('\n'))), ',')];
  return columnFacts(rows[0]?.fields ?? [], rows.slice(1));
}

function rolesOf(...lines: readonly string[]) {
  const { columns } = runLayout(factsOf(...lines));
  const of = (role: string) =>
    [...columns]
      .sort((a, b) => a.index - b.index)
      .filter((column) => column.role === role)
      .map(({ key }) => key);
  return { parameter: of('parameter'), metric: of('metric'), tag: of('tag') };
}

function wideOf(...lines: readonly string[]) {
  return historyLayout(factsOf(...lines), '/x/run-a-tag-loss.csv')?.wide.map(({ key }) => key) ?? null;
}
