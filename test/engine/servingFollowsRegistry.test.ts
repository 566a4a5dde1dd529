import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine.ts';
import { inferenceLogFile, storeLayout } from '../../src/engine/layout.ts';
import { settingsFile } from '../../src/protocol/endpointSettings.ts';
import type { EndpointState } from '../../src/protocol/serving.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { readLog } from '../scorer/inferenceLogRows.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { openWholeEngine, registerOnnx, storeToken } from './servedStore.ts';

describe('What happens in the registry reaches its endpoint', function () {
  this.timeout(60_000);
  let workspace: string;
  let engine: Engine;
  let logged: string[];
  beforeEach(async () => {
    workspace = await temporaryFolder();
    await open();
    registerOnnx(engine, workspace, 'wine', linearModel());
    registerOnnx(engine, workspace, 'wine', linearModel());
  });
  afterEach(async () => {
    await engine.close();
    await removeFolder(workspace);
  });

  const open = async () => {
    engine = await openWholeEngine(workspace);
    logged = [];
    engine.changes.listen((event, data) => {
      if (event === 'log' && 'message' in data) logged.push(data.message);
    });
  };
  const serve = (modelName: string, modelVersion = 1) =>
    engine.serving.start({ modelName, modelVersion, port: null });
  const body = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1,2,3]}]}';
  const ask = async (endpoint: string) => (await engine.serving.sendRequest({ endpoint, body })).status;
  const call = async (method: string, path: string, fields: object) => {
    const response = await fetch(`${engine.address?.url}/api/2.0/mlflow${path}`, {
      method,
      headers: { authorization: `Bearer ${storeToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(fields),
    });
    assert.equal(response.status, 200, await response.text());
  };
  const endpoints = () => engine.serving.endpoints().map(({ name, modelName }) => [name, modelName]);
  const logFile = (endpoint: string) => inferenceLogFile(storeLayout(workspace), endpoint);
  const logged200 = (endpoint: string) =>
    readLog(logFile(endpoint)).filter(({ status }) => status === 200).length;
  const waitFor = (endpoint: string, state: EndpointState) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (engine.serving.endpoints().find(({ name }) => name === endpoint)?.state !== state) return;
        subscription.dispose();
        resolve();
      };
      const subscription = engine.changes.listen((event) => {
        if (event === 'serving/changed') look();
      });
      look();
    });

  it('a new name: the endpoint bears it, under its old port, with all that it logged', async () => {
    const { url } = await serve('wine', 2);
    assert.equal(await ask('wine'), 200);
    await call('POST', '/registered-models/rename', { name: 'wine', new_name: 'Bebida 1.0' });
    assert.deepEqual(endpoints(), [['Bebida 1.0', 'Bebida 1.0']]);
    await waitFor('Bebida 1.0', 'ready');
    const { inferUrl, endpoint } = engine.serving.describe('Bebida 1.0');
    assert.deepEqual([endpoint.url, endpoint.modelVersion], [url, 2]);
    assert.equal(inferUrl, `${url}/v2/models/Bebida%201.0/infer`);
    assert.equal(await ask('Bebida 1.0'), 200);
    assert.ok(!existsSync(logFile('wine')));
    assert.equal(engine.monitoring.driftSources('Bebida 1.0').references.length, 0);

    await engine.close();
    assert.equal(logged200('Bebida 1.0'), 2);
    await open();
    await waitFor('Bebida 1.0', 'ready');
    assert.deepEqual(endpoints(), [['Bebida 1.0', 'Bebida 1.0']]);
  });

  it('a new name of what is not running: it keeps its log and stays as it is', async () => {
    await serve('wine');
    assert.equal(await ask('wine'), 200);
    await engine.serving.stop('wine');
    engine.registry.renameModel('wine', 'vinho');
    assert.equal((await serve('vinho')).state, 'ready');
    assert.equal(await ask('vinho'), 200);
    await engine.serving.stop('vinho');
    engine.registry.renameModel('vinho', 'vino');
    await engine.close();
    assert.equal(logged200('vino'), 2);
    await open();
    assert.deepEqual(
      engine.serving.endpoints().map(({ name, state }) => [name, state]),
      [['vino', 'stopped']],
    );
  });

  it('a new name that a deleted model had: its log is kept beside', async () => {
    registerOnnx(engine, workspace, 'beer', linearModel());
    await serve('beer');
    assert.equal(await ask('beer'), 200);
    await call('DELETE', '/registered-models/delete', { name: 'beer' });
    await serve('wine');
    engine.registry.renameModel('wine', 'beer');
    await waitFor('beer', 'ready');
    assert.equal(await ask('beer'), 200);
    await engine.close();
    assert.deepEqual(endpointLogs(), ['beer.db', 'beer.replaced.db']);
    assert.equal(logged200('beer'), 1);
    await open();
  });
  const endpointLogs = () =>
    readdirSync(storeLayout(workspace).inference)
      .map((name) => name.replace(/replaced-\d+/, 'replaced'))
      .sort();

  describe('of an endpoint with a name of its own', () => {
    const declare = async (name: string, model = 'wine') => {
      writeFileSync(
        join(workspace, settingsFile),
        `endpoints:\n  ${name}: { model: ${model}, stable: { version: 1 } }\n`,
      );
      await engine.close();
      await open();
      await waitFor(name, 'ready');
    };

    it('a new name: it keeps its own, its port and its log, and answers for the new one', async () => {
      await serve('wine');
      await declare('cellar');
      await waitFor('wine', 'ready');
      const { url } = engine.serving.describe('cellar').endpoint;
      assert.equal(await ask('cellar'), 200);
      engine.registry.renameModel('wine', 'vinho');
      assert.deepEqual(endpoints(), [
        ['cellar', 'vinho'],
        ['vinho', 'vinho'],
      ]);
      await waitFor('cellar', 'ready');
      await waitFor('vinho', 'ready');
      assert.equal(engine.serving.describe('cellar').inferUrl, `${url}/v2/models/vinho/infer`);
      assert.deepEqual([await ask('cellar'), await ask('vinho')], [200, 200]);
      await engine.close();
      assert.equal(logged200('cellar'), 2);
      await open();
    });

    it('a new name that another endpoint has: the endpoint of the model keeps its old one', async () => {
      registerOnnx(engine, workspace, 'beer', linearModel());
      await serve('wine');
      await declare('vinho', 'beer');
      engine.registry.renameModel('wine', 'vinho');
      assert.deepEqual(endpoints(), [
        ['vinho', 'beer'],
        ['wine', 'vinho'],
      ]);
      await waitFor('wine', 'ready');
      assert.deepEqual([await ask('wine'), await ask('vinho')], [200, 200]);
      await assert.rejects(serve('vinho'), { kind: 'endpointNameTaken' });
      assert.equal(engine.serving.endpoint('vinho').modelName, 'beer');
    });

    it('the deletion of its version, and of its model', async () => {
      await declare('cellar');
      engine.registry.deleteVersion('wine', 2);
      assert.equal(await ask('cellar'), 200);
      engine.registry.deleteVersion('wine', 1);
      await waitFor('cellar', 'stopped');
      registerOnnx(engine, workspace, 'beer', linearModel());
      await declare('pub', 'beer');
      await engine.serving.start({ modelName: 'beer', modelVersion: 1, port: null });
      engine.registry.deleteModel('beer');
      await waitFor('pub', 'stopped');
      await waitFor('beer', 'stopped');
    });
  });

  it('the deletion of the served version, and of no other', async () => {
    const { url } = await serve('wine', 2);
    await call('DELETE', '/model-versions/delete', { name: 'wine', version: '1' });
    assert.equal(await ask('wine'), 200);
    await call('DELETE', '/model-versions/delete', { name: 'wine', version: '2' });
    await waitFor('wine', 'stopped');
    await assert.rejects(fetch(`${url}/ping`));
    assert.ok(logged.includes('wine: Version 2 was deleted. The endpoint is stopped.'), logged.join('\n'));
    assert.ok(existsSync(logFile('wine')));

    await engine.close();
    await open();
    const { state, failure } = engine.serving.endpoint('wine');
    assert.deepEqual([state, failure], ['stopped', null], 'it is not asked for any more');
  });

  it('the deletion of the model', async () => {
    const { url } = await serve('wine');
    await call('DELETE', '/registered-models/delete', { name: 'wine' });
    await waitFor('wine', 'stopped');
    await assert.rejects(fetch(`${url}/ping`));
    assert.ok(logged.includes('wine: The model was deleted. The endpoint is stopped.'), logged.join('\n'));
    await assert.rejects(serve('wine'), { kind: 'notFound' });
  });
});
