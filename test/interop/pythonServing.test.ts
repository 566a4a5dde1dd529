import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import type { PythonPermission } from '../../src/engine/serving/pythonModels.ts';
import { createArtifactStore } from '../../src/engine/tracking/artifacts.ts';
import { convertInPython } from '../../src/inference/python/conversion.ts';
import { SlipwayError } from '../../src/protocol/errors.ts';
import { errorOfKind } from '../errorOfKind.ts';
import { pythonWithPeers } from '../python.ts';
import { removeFolder, scorerScript, temporaryFolder } from '../scorer/scorerProcess.ts';

const control = { signal: new AbortController().signal, progress: () => undefined };
const token = 'a token for the tests';

describe('Versions that only Python can load, in an engine', function () {
  this.timeout(600_000);
  let folder: string;
  let python: string;
  let engine: Engine;
  before(async function () {
    python = pythonWithPeers(this);
    folder = await temporaryFolder();
    const script = join(import.meta.dirname, '../fixtures/python/python_models.py');
    execFileSync(python, ['-W', 'ignore', script, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    await mkdir(join(folder, 'workspace'));
    engine = await open();
    for (const name of ['pipeline', 'xgboost', 'custom', 'disagreeing']) await register(name);
  });
  after(async () => {
    await engine?.close();
    if (folder) await removeFolder(folder);
  });

  const open = (permission: PythonPermission | null = null) =>
    openEngine({
      ...(permission && { python: permission }),
      workspace: join(folder, 'workspace'),
      host: '127.0.0.1',
      port: 0,
      token,
      trusted: true,
      scripts: { scorer: scorerScript, worker: join(import.meta.dirname, '../../src/worker/main.ts') },
    });

  /** Makes a saved model version 1 of a registered model of the same name. */
  async function register(name: string): Promise<void> {
    const { tracking, registry } = engine;
    const { model } = tracking.createLoggedModel({
      experimentId: '0',
      name,
      modelType: '',
      tags: [],
      parameters: [],
    });
    const artifacts = createArtifactStore(join(folder, 'workspace/.slipway/artifacts'));
    for (const entry of readdirSync(join(folder, name), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      const path = file.slice(join(folder, name).length + 1);
      await artifacts.write(artifacts.pathOf(model.artifactUri, path), createReadStream(file));
    }
    tracking.finalizeLoggedModel(model.modelId, 'LOGGED_MODEL_READY');
    registry.createModel(name, '', []);
    registry.createVersion({
      name,
      source: `models:/${model.modelId}`,
      runId: null,
      modelId: model.modelId,
      runLink: '',
      description: '',
      tags: [],
    });
  }

  const describeModel = (name: string, interpreter: string | null = python) =>
    engine.pythonModels.describe({ name, version: 1, python: interpreter }, control.signal);
  const allow = async (name: string) => {
    const described = await describeModel(name);
    assert.ok(described);
    engine.pythonModels.allow({ digest: described.digest, python: described.python });
  };
  const start = (name: string) => engine.serving.start({ modelName: name, modelVersion: 1, port: null });

  it('start only after the person allowed their files', async () => {
    await assert.rejects(start('custom'), errorOfKind('pythonConsentNeeded'));
    const described = await describeModel('custom');
    assert.ok(described);
    assert.equal(described.allowed, false);
    assert.equal(described.python, python);
    assert.deepEqual(described.environment.missing, []);
    // Saying what would be loaded has loaded nothing.
    await assert.rejects(start('custom'), errorOfKind('pythonConsentNeeded'));
    await allow('custom');
    assert.equal((await describeModel('custom'))?.allowed, true);
    const endpoint = await start('custom');
    assert.equal(endpoint.state, 'ready');
    const { exampleRequest } = engine.serving.describe('custom');
    const answer = await engine.serving.sendRequest({ endpoint: 'custom', body: exampleRequest });
    assert.equal(answer.status, 200, answer.body);
    await engine.serving.stop('custom');
  });

  it('need a new permission when a file changed', async () => {
    await allow('pipeline');
    assert.equal((await describeModel('pipeline'))?.allowed, true);
    writeFileSync(join(engine.registry.modelFolder('pipeline', 1), 'more.py'), 'print("added")\n');
    assert.equal((await describeModel('pipeline'))?.allowed, false);
    await assert.rejects(start('pipeline'), errorOfKind('pythonConsentNeeded'));
  });

  it('name the interpreter that is not there, and the packages that it lacks with the command that installs them', async () => {
    await assert.rejects(describeModel('xgboost', join(folder, 'nowhere')), errorOfKind('pythonNotFound'));
    const requirements = join(engine.registry.modelFolder('xgboost', 1), 'requirements.txt');
    writeFileSync(requirements, 'mlflow\nsome-package-that-nobody-has==1.2\n');
    await assert.rejects(describeModel('xgboost'), (error) => {
      assert.ok(error instanceof SlipwayError);
      assert.equal(error.kind, 'pythonPackagesMissing');
      assert.match(error.message, /some-package-that-nobody-has==1\.2/);
      assert.equal(
        error.remedy,
        `Install it with: ${python} -m pip install some-package-that-nobody-has==1.2`,
      );
      return true;
    });
    writeFileSync(requirements, 'mlflow\nxgboost==0.1\n');
    const described = await describeModel('xgboost');
    assert.equal(described?.environment.different[0]?.name, 'xgboost');
    assert.equal(described?.environment.different[0]?.wanted, '==0.1');
  });

  it('become ONNX versions of the same model, after a comparison on data', async () => {
    await assert.rejects(
      engine.conversion.convert({ name: 'disagreeing', version: 1 }, control),
      errorOfKind('pythonConsentNeeded'),
    );
    for (const name of ['pipeline', 'xgboost']) {
      await allow(name);
      const steps: string[] = [];
      const report = await engine.conversion.convert(
        { name, version: 1 },
        { ...control, progress: (_, message) => steps.push(message) },
      );
      assert.deepEqual(steps, ['loading', 'predicting', 'converting', 'saving', 'comparing']);
      assert.equal(engine.registry.versions(name).length, 1);
      const generated = report.checks.find(({ source }) => source === 'generated');
      assert.equal(generated?.rows, 2000);
      for (const output of report.checks.flatMap(({ outputs }) => outputs)) {
        assert.equal(output.differentRows, 0, JSON.stringify(output));
        assert.ok((output.largestAbsolute ?? 0) < 1e-5);
      }
      const version = await engine.conversion.register(report.id);
      assert.equal(version.version, 2);
      assert.ok(version.flavors.includes('onnx'));
      const tags = Object.fromEntries(
        engine.registry.modelVersion(name, 2).tags.map(({ key, value }) => [key, value]),
      );
      assert.equal(tags['slipway.convertedFrom'], '1');
      assert.equal(tags['slipway.differentRows'], '0');
      const endpoint = await engine.serving.start({ modelName: name, modelVersion: 2, port: null });
      assert.equal(endpoint.state, 'ready');
      await engine.serving.stop(name);
    }
  });

  it('show in which rows a conversion differs', async () => {
    await allow('disagreeing');
    const report = await engine.conversion.convert({ name: 'disagreeing', version: 1 }, control);
    const example = report.checks.find(({ source }) => source === 'example');
    const [output] = example?.outputs ?? [];
    assert.equal(output?.name, 'variable');
    // Both rows are one to 32-bit floats, so at least one answer is wrong by 5 or more.
    assert.ok((output?.differentRows ?? 0) > 0);
    assert.ok((output?.largestAbsolute ?? 0) >= 5);
    assert.ok((output?.meanAbsolute ?? 0) >= 2.5);
    const [first] = output?.examples ?? [];
    assert.ok(first && Math.abs(Number(first.expected) - Number(first.converted)) > 1);
    const drafts = join(folder, 'workspace/.slipway/cache/conversions');
    assert.ok(existsSync(join(drafts, report.id)));
    await engine.conversion.discard(report.id);
    assert.equal(existsSync(join(drafts, report.id)), false);
    await assert.rejects(engine.conversion.register(report.id), errorOfKind('notFound'));
    assert.equal(engine.registry.versions('disagreeing').length, 1);
  });

  it('are not converted when they are of no flavour that has a converter', async () => {
    await assert.rejects(
      engine.conversion.convert({ name: 'custom', version: 1 }, control),
      errorOfKind('notConvertible'),
    );
  });

  it('stop being converted when the person cancels, and leave nothing', async () => {
    const cancelling = new AbortController();
    const converting = engine.conversion.convert(
      { name: 'disagreeing', version: 1 },
      { signal: cancelling.signal, progress: () => cancelling.abort() },
    );
    await assert.rejects(converting, errorOfKind('cancelled'));
    assert.deepEqual(readdirSync(join(folder, 'workspace/.slipway/cache/conversions')), []);
  });

  it('are compared on the data of their run, where that has their columns', async () => {
    const convert = (dataset: string) =>
      convertInPython({
        name: 'xgboost',
        version: 1,
        flavor: 'xgboost',
        folder: join(folder, 'xgboost'),
        python,
        dataset,
        output: join(folder, `converted-${basename(dataset)}`),
        rows: 50,
        progress: () => undefined,
      });
    const data = join(folder, 'data.csv');
    writeFileSync(data, 'c,b,a,target\n1,2,3,4\n-1,,0.5,2\n');
    const checks = await convert(data);
    assert.deepEqual(
      checks.map(({ source, rows, skipped }) => [source, rows, skipped]),
      [
        ['dataset', 2, null],
        ['generated', 50, null],
      ],
    );
    const [feed] = checks[0]?.feeds ?? [];
    assert.deepEqual(feed?.shape, [2, 3]);
    // In the order of the model's columns; rows of a sample come in any order.
    assert.ok([...(feed?.data ?? [])].join().includes('3,2,1'));
    const other = join(folder, 'other.csv');
    writeFileSync(other, 'a,b\n1,2\n');
    const [skipped] = await convert(other);
    assert.equal(skipped?.skipped, 'it has no column c');
  });

  it('come back with an engine that is told what was allowed before, with files of any size', async () => {
    // More than is read at once.
    writeFileSync(
      join(engine.registry.modelFolder('custom', 1), 'weights.bin'),
      Buffer.alloc(20 * 1024 * 1024),
    );
    const described = await describeModel('custom');
    assert.ok(described);
    await engine.close();
    const consents = [{ digest: described.digest, python }];
    engine = await open({ all: false, python: null, consents });
    assert.equal((await start('custom')).state, 'ready');
    await engine.close();
    engine = await open({ all: false, python: null, consents });
    while (engine.serving.endpoint('custom').state !== 'ready') {
      assert.equal(engine.serving.endpoint('custom').failure, null);
      await setTimeout(50);
    }
    await engine.serving.stop('custom');
    await engine.close();
    engine = await open();
    await assert.rejects(start('custom'), errorOfKind('pythonConsentNeeded'));
    await engine.close();
    engine = await open({ all: true, python, consents: [] });
    assert.equal((await start('custom')).state, 'ready');
    await engine.serving.stop('custom');
  });
});
