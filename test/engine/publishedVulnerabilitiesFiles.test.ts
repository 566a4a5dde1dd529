import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { at, textAt } from './answers.ts';
import { artifacts, attackedEngine, secret } from './attackedEngine.ts';

/** Published vulnerabilities of MLflow's server: what leads out of the store's folder, or to another host. */
describe('Published vulnerabilities of MLflow: files', function () {
  this.timeout(30_000);
  const { engine, refused, createVersion, assertTellsNoSecret, sendRaw } = attackedEngine();

  it('CVE-2023-30172: /get-artifact leads out of no run', async () => {
    const runId = engine().createRun();
    for (const path of [
      '../../../../secret.txt',
      '..%2f..%2f..%2f..%2fsecret.txt',
      '/etc/passwd',
      '%2fetc%2fpasswd',
    ]) {
      await assertTellsNoSecret(`/get-artifact?run_id=${runId}&path=${path}`);
      await assertTellsNoSecret(`/get-artifact?run_uuid=${runId}&path=${encodeURIComponent(path)}`);
    }
  });

  it('CVE-2023-1176, 2023-1177, 2024-3573, 2025-11201: no version has its files outside of the store', async () => {
    for (const source of [
      'file:///etc/',
      'file:/etc',
      'FILE:/etc',
      'file:////etc',
      ' file:///etc',
      '//etc',
      'local:/etc',
      engine().folder,
      `file://${engine().folder}`,
    ]) {
      refused(await createVersion({ source }));
      refused(await createVersion({ source, run_id: engine().createRun() }));
    }
    await assertTellsNoSecret('/model-versions/get-artifact?name=m&version=1&path=passwd');
  });

  it('CVE-2023-2356, 2023-2780, 2023-6753: no source goes upwards, by dots, backslashes or drives', async () => {
    for (const source of [
      'mlflow-artifacts:/a/../../b',
      'http://h/api/2.0/mlflow-artifacts/artifacts/../..',
      '\\..\\..\\etc',
      'C:\\..',
      'C:/Windows',
      '\\\\host\\share',
      'mlflow-artifacts:/..\\..\\etc',
    ]) {
      refused(await createVersion({ source }));
    }
  });

  it('CVE-2023-6015, 2023-6018, 2026-2033: an upload stays in the artifact folder', async () => {
    for (const path of [
      '..%2f..%2fevil',
      '%2e%2e/evil',
      '..%5c..%5cevil',
      '%2fetc%2fevil',
      'a/..%2f..%2f..%2fevil',
      'C:%5cevil',
    ]) {
      const { status } = await sendRaw('PUT', `${artifacts}/${path}`, {}, 'evil');
      assert.ok(status >= 400 && status < 500, `${status} ${path}`);
    }
    for (const path of ['../evil', '../../evil', 'a/../../evil'])
      await sendRaw('PUT', `${artifacts}/${path}`, {}, 'evil');
    for (const place of ['evil', '../evil', '../../evil'])
      assert.equal(existsSync(join(engine().folder, place)), false);
  });

  it('CVE-2023-6831, 2023-6909, 2024-1483, 2024-2928, 2024-3848: nothing is decoded twice, and # ? ; are no way round', async () => {
    const paths = [
      '%252E%252E%252F%252E%252E%252Fsecret.txt',
      '..%252f..%252fsecret.txt',
      '..%255csecret.txt',
      'a%23/../../secret.txt',
      'a%3f/../../secret.txt',
      'a;..%2f..%2fsecret.txt',
      'a%00/../secret.txt',
    ];
    for (const path of paths) {
      for (const method of ['GET', 'DELETE']) {
        const { status, text } = await sendRaw(method, `${artifacts}/${path}`);
        assert.ok(status >= 400 && status < 500, `${status} ${method} ${path}`);
        assert.ok(!text.includes(secret));
      }
    }
    assert.ok(existsSync(join(engine().folder, 'secret.txt')));
  });

  it('CVE-2024-1558, 1560, 1593, 1594, 8859: no artifact location smuggles a path in a fragment, parameter or query', async () => {
    for (const location of [
      'http:///#/../../../etc/',
      'http:///?/../../../etc/',
      'mlflow-artifacts:/a;..%2f..%2fetc',
      'mlflow-artifacts:/a;/../etc',
      'mlflow-artifacts:/a?/../../etc',
      'mlflow-artifacts:/../../etc',
      'mlflow-artifacts:/%2e%2e/etc',
    ]) {
      const { status, body } = await engine().call('POST', '/experiments/create', {
        name: `at ${location}`,
        artifact_location: location,
      });
      if (status !== 200) {
        refused({ status, body });
        continue;
      }
      const created = await engine().call('POST', '/runs/create', {
        experiment_id: textAt(body, 'experiment_id'),
      });
      assert.fail(`${location} was taken: ${JSON.stringify(created.body)}`);
    }
  });

  it('observed in MLflow: an artifact location that is a folder of this machine is a pointer that shows none of its files', async () => {
    for (const location of ['file:///etc', '/etc', engine().folder, `file://${engine().folder}`]) {
      const created = await engine().call('POST', '/experiments/create', {
        name: `in ${location}`,
        artifact_location: location,
      });
      if (created.status !== 200) continue;
      const run = await engine().call('POST', '/runs/create', {
        experiment_id: textAt(created.body, 'experiment_id'),
      });
      const runId = textAt(run.body, 'run.info.run_id');
      await assertTellsNoSecret(`/get-artifact?run_id=${runId}&path=passwd`);
      await assertTellsNoSecret(`/get-artifact?run_id=${runId}&path=secret.txt`);
      await assertTellsNoSecret(`/api/2.0/mlflow/artifacts/list?run_id=${runId}&path=`);
      const { body } = await createVersion({ source: `runs:/${runId}/.`, run_id: runId });
      const version = at(body, 'model_version.version') ?? 1;
      for (const path of ['passwd', 'secret.txt']) {
        await assertTellsNoSecret(`/model-versions/get-artifact?name=m&version=${version}&path=${path}`);
      }
    }
  });

  it('CVE-2023-6977: a link in the artifact folder leads out of it neither to read, nor to list, nor to write, nor to delete', async () => {
    const folder = join(engine().folder, 'artifacts', 'links');
    mkdirSync(folder, { recursive: true });
    symlinkSync(join(engine().folder, 'secret.txt'), join(folder, 'file'));
    symlinkSync(engine().folder, join(folder, 'folder'));
    await assertTellsNoSecret(`${artifacts}/links/file`);
    await assertTellsNoSecret(`${artifacts}/links/folder/secret.txt`);
    assert.deepEqual(await (await engine().fetch(`${artifacts}?path=links`)).json(), {});
    assert.equal(
      (await engine().fetch(`${artifacts}/links/folder/new`, { method: 'PUT', body: 'x' })).status,
      400,
    );
    assert.equal(
      (await engine().fetch(`${artifacts}/links/folder/secret.txt`, { method: 'DELETE' })).status,
      400,
    );
    assert.ok(existsSync(join(engine().folder, 'secret.txt')));
    assert.ok(!existsSync(join(engine().folder, 'new')));
  });

  describe('with a host that must never be asked', () => {
    let asked: string[];
    let attacker: Server;
    let address: string;
    before(async () => {
      asked = [];
      attacker = createServer((incoming, response) => {
        asked.push(incoming.url ?? '');
        response.setHeader('content-type', 'application/json');
        response.setHeader('content-disposition', 'attachment; filename="../../evil"');
        response.end('{"files": [{"path": "../../evil", "is_dir": false, "file_size": 4}]}');
      });
      attacker.listen(0, '127.0.0.1');
      await once(attacker, 'listening');
      const bound = attacker.address();
      assert.ok(bound !== null && typeof bound === 'object');
      address = `127.0.0.1:${bound.port}`;
    });
    after(() => attacker.close());

    it('CVE-2023-6974, 2023-6975, 2023-6976, 2024-0520, 2026-2393: no URL in a source, dataset, link or tag is fetched', async () => {
      for (const scheme of ['http', 'https', 'ftp']) {
        refused(
          await createVersion({ source: `${scheme}://${address}/api/2.0/mlflow-artifacts/artifacts/` }),
        );
      }
      // Another server's store is a pointer as good as a bucket: kept, and never followed.
      const { body } = await createVersion({ source: `mlflow-artifacts://${address}/a` });
      const version = textAt(body, 'model_version.version');
      await assertTellsNoSecret(`/model-versions/get-artifact?name=m&version=${version}&path=evil`);
      refused(await createVersion({ source: 'http://169.254.169.254/latest/meta-data' }));
      const runId = engine().createRun();
      await engine().call('POST', '/runs/log-inputs', {
        run_id: runId,
        datasets: [
          {
            dataset: {
              name: 'd',
              digest: '1',
              source_type: 'http',
              source: JSON.stringify({ url: `http://${address}/x` }),
            },
          },
        ],
      });
      for (const key of ['mlflow.source.name', 'mlflow.source.git.repoURL', 'mlflow.artifactLocation']) {
        await engine().call('POST', '/runs/set-tag', { run_id: runId, key, value: `http://${address}/x` });
      }
      const webhook = JSON.stringify({ name: 'w', url: `http://${address}/x`, events: [] });
      await sendRaw('POST', '/api/2.0/mlflow/webhooks', { 'content-type': 'application/json' }, webhook);
      engine().tracking.runDetail(runId);
      assert.deepEqual(asked, []);
    });
  });

  it('CVE-2026-2614: calling a version a prompt spares it no check', async () => {
    for (const tags of [
      [{ key: 'mlflow.prompt.is_prompt', value: 'true' }],
      [{ key: 'mlflow.prompt.is_prompt', value: 'false' }],
      [{ key: 'mlflow.prompt.is_prompt' }],
    ]) {
      for (const source of ['/etc', 'file:///etc', engine().folder])
        refused(await createVersion({ source, tags }));
    }
    await assertTellsNoSecret('/model-versions/get-artifact?name=m&version=1&path=secret.txt');
  });

  it('ZDI-CAN-26649: an uploaded meta.yaml is a file like any other', async () => {
    const before = engine().tracking.experiments().length;
    const runId = engine().createRun();
    const folder = `0/${runId}/artifacts/${'a'.repeat(32)}`;
    await engine().fetch(`${artifacts}/${folder}/meta.yaml`, {
      method: 'PUT',
      body: `run_id: ${'a'.repeat(32)}\nartifact_uri: file:///etc\n`,
    });
    assert.equal((await engine().call('GET', '/runs/get', { run_id: 'a'.repeat(32) })).status, 404);
    assert.ok(engine().tracking.experiments().length <= before + 1);
  });

  it('CVE-2022-0736, 2024-27134, 2025-10279, 2026-4137: what is in progress belongs to its person alone', async function () {
    if (process.platform === 'win32') return this.skip();
    await engine().fetch(`${artifacts}/mode/a`, { method: 'PUT', body: 'x' });
    assert.equal(statSync(join(engine().folder, 'artifacts', 'mode', 'a')).mode & 0o077, 0);
    assert.equal(statSync(join(engine().folder, 'artifacts', '.uploads')).mode & 0o077, 0);
  });
});
