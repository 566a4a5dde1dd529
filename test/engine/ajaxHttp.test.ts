import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { at, textAt } from './answers.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

/** What MLflow's web pages ask for besides the remote procedures, and what needs a cloud store. */
describe('Endpoints of the MLflow dialect for web pages', () => {
  let engine: TrackingEngine;
  let runId: string;
  before(async () => {
    engine = await openTrackingEngine();
    const { body } = await engine.call('POST', '/runs/create', { experiment_id: '0' });
    runId = textAt(body, 'run.info.run_id');
  });
  after(() => engine.close());

  const upload = (query: string, body?: string | Uint8Array<ArrayBuffer>) =>
    engine.fetch(`/ajax-api/2.0/mlflow/upload-artifact?${query}`, {
      method: 'POST',
      ...(body === undefined ? {} : { body }),
    });
  const messageOf = async (response: Response) => {
    const body: unknown = await response.json();
    assert.equal(response.status, 400, JSON.stringify(body));
    return textAt(body, 'message');
  };

  it('keep an uploaded file with its run', async () => {
    const answer = await upload(`run_uuid=${runId}&path=tables/a.json`, '{"a": 1}');
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), '');
    const file = await engine.fetch(`/get-artifact?run_uuid=${runId}&path=tables/a.json`);
    assert.equal(await file.text(), '{"a": 1}');
    assert.equal(file.headers.get('content-type'), 'text/plain');
  });

  it('refuse an upload without a run, a path or content, that leads out, or that is too large', async () => {
    assert.equal(await messageOf(await upload('')), 'Request must specify run_uuid.');
    for (const query of [`run_uuid=${runId}`, `run_uuid=${runId}&path=`]) {
      assert.equal(await messageOf(await upload(query)), 'Request must specify path.');
    }
    assert.equal(await messageOf(await upload(`run_uuid=${runId}&path=../x`, 'x')), 'Invalid path');
    assert.equal(await messageOf(await upload(`run_uuid=${runId}&path=x`)), 'Request must specify data.');
    const large = new Uint8Array(10 * 1024 * 1024 + 1);
    assert.equal(
      await messageOf(await upload(`run_uuid=${runId}&path=x`, large)),
      'Artifact size is too large. Max size is 10MB.',
    );
    assert.equal((await upload(`run_uuid=${'0'.repeat(32)}&path=x`, 'x')).status, 404);
    assert.ok(!existsSync(join(engine.folder, 'artifacts/0', runId, 'artifacts/x')));
  });

  it('check a path before they look anything up', async () => {
    for (const path of [
      '/api/2.0/mlflow/artifacts/list?run_id=nobody',
      '/get-artifact?run_id=nobody',
      '/model-versions/get-artifact?name=nobody&version=1',
    ]) {
      assert.equal(await messageOf(await engine.fetch(`${path}&path=../x`)), 'Invalid path');
    }
  });

  it('list the datasets of experiments, each once, with what they were used for', async () => {
    const dataset = { name: 'd', digest: '1', source_type: 'local', source: '{}' };
    const tags = [{ key: 'mlflow.data.context', value: 'training' }];
    const other = await engine.call('POST', '/runs/create', { experiment_id: '0' });
    for (const run_id of [runId, textAt(other.body, 'run.info.run_id')]) {
      await engine.call('POST', '/runs/log-inputs', { run_id, datasets: [{ dataset, tags }] });
    }
    await engine.call('POST', '/runs/log-inputs', {
      run_id: runId,
      datasets: [{ dataset: { ...dataset, digest: '2' } }],
    });
    const search = async (fields: object) => {
      const { status, body } = await engine.call('POST', '/experiments/search-datasets', fields);
      return status === 200 ? at(body, 'dataset_summaries') : textAt(body, 'message');
    };
    assert.deepEqual(await search({ experiment_ids: ['0'] }), [
      { experiment_id: '0', name: 'd', digest: '1', context: 'training' },
      { experiment_id: '0', name: 'd', digest: '2' },
    ]);
    assert.equal(await search({ experiment_ids: ['77'] }), undefined);
    assert.equal(await search({}), 'SearchDatasets request must specify at least one experiment_id.');
    assert.equal(
      await search({ experiment_ids: Array.from({ length: 21 }, (_, index) => String(index)) }),
      'SearchDatasets request cannot specify more than 20 experiment_ids. Received 21 experiment_ids.',
    );
  });

  it('say that files come through this server only', async () => {
    const { status, body } = await engine.call('POST', '/artifacts/presigned-upload-url', {
      run_id: runId,
      path: 'a',
    });
    assert.equal(status, 400);
    assert.match(textAt(body, 'message'), /^Presigned upload is not supported .*scheme: mlflow-artifacts\)/);
    const presigned = await engine.fetch('/api/2.0/mlflow-artifacts/presigned/a');
    assert.equal(presigned.status, 501);
    assert.equal(
      textAt(await presigned.json(), 'message'),
      'Multipart download is not supported for the current artifact repository',
    );
  });

  it('take a logged model whose run another store has', async () => {
    const { body } = await engine.call('POST', '/logged-models', {
      experiment_id: '0',
      name: 'm',
      source_run_id: 'elsewhere',
    });
    const modelId = textAt(body, 'model.info.model_id');
    const read = await engine.call('GET', `/logged-models/${modelId}`);
    assert.equal(at(read.body, 'model.info.source_run_id'), 'elsewhere');
    const found = await engine.call('POST', '/logged-models/search', {
      experiment_ids: ['0'],
      filter: "source_run_id = 'elsewhere'",
    });
    assert.equal(at(found.body, 'models.0.info.model_id'), modelId);
  });
});
