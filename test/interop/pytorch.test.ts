import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import type { EndpointSummary } from '../../src/protocol/serving.ts';
import { errorOfKind } from '../errorOfKind.ts';
import { pythonWithPeers } from '../python.ts';
import { removeFolder, scorerScript, temporaryFolder } from '../scorer/scorerProcess.ts';
import { runPython } from './registryPython.ts';

const token = 'a token for the tests';
const columns = ['age', 'income', 'debt'];

/** What a network itself answered. */
interface Told {
  readonly inputs: readonly unknown[];
  readonly answers: readonly (readonly number[])[];
}

/** Equal up to the last digits of 32-bit floats: sums come out another way when rows come together. */
function assertNear(found: readonly number[], expected: readonly number[]): void {
  assert.equal(found.length, expected.length);
  for (const [place, value] of expected.entries()) {
    const other = found[place];
    assert.ok(other !== undefined && Math.abs(other - value) <= 1e-6, `${other} is not ${value}`);
  }
}

describe('PyTorch models that a training script logged', function () {
  this.timeout(600_000);
  let folder: string;
  let python: string;
  let engine: Engine;
  let told: Readonly<Record<string, Told>>;
  before(async function () {
    python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_PYTORCH');
    folder = await temporaryFolder();
    await mkdir(join(folder, 'workspace'));
    engine = await openEngine({
      workspace: join(folder, 'workspace'),
      host: '127.0.0.1',
      port: 0,
      token,
      trusted: true,
      scripts: { scorer: scorerScript, worker: join(import.meta.dirname, '../../src/worker/main.ts') },
    });
    const script = readFileSync(join(import.meta.dirname, '../fixtures/python/pytorch_models.py'), 'utf8');
    assert.ok(engine.address);
    told = (await runPython(python, script, { url: engine.address.url, token })) as typeof told;
  });
  after(async () => {
    await engine?.close();
    if (folder) await removeFolder(folder);
  });

  const start = (name: string) => engine.serving.start({ modelName: name, modelVersion: 1, port: null });

  /** Allows what the person would be asked for, and starts an endpoint. */
  async function serve(name: string): Promise<EndpointSummary> {
    const described = await engine.pythonModels.describe(
      { name, version: 1, python },
      new AbortController().signal,
    );
    assert.ok(described);
    assert.deepEqual(described.flavors, ['pytorch']);
    assert.deepEqual(described.environment.missing, []);
    engine.pythonModels.allow({ digest: described.digest, python: described.python });
    return start(name);
  }

  async function ask(endpoint: EndpointSummary, path: string, body: object) {
    const response = await fetch(`${endpoint.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  }

  it('are loaded only after the person allowed it', async () => {
    await assert.rejects(start('digits'), errorOfKind('pythonConsentNeeded'));
  });

  it('answer tensors as the network itself does', async () => {
    const { inputs = [], answers = [] } = told.digits ?? {};
    const endpoint = await serve('digits');
    const described = engine.serving.describe('digits');
    assert.deepEqual(described.inputs, [{ name: 'input', datatype: 'FP32', shape: [-1, 1, 8, 8] }]);
    const { predictions } = await ask(endpoint, '/invocations', { inputs });
    assert.equal(predictions.length, answers.length);
    for (const [row, answer] of answers.entries()) assertNear(predictions[row], answer);
    const { outputs } = await ask(endpoint, '/v2/models/digits/infer', {
      inputs: [{ name: 'input', datatype: 'FP32', shape: [inputs.length, 1, 8, 8], data: inputs }],
    });
    assert.deepEqual(outputs[0].shape, [answers.length, 10]);
    assertNear(outputs[0].data, answers.flat());
    const sent = await engine.serving.sendRequest({ endpoint: 'digits', body: described.exampleRequest });
    assert.equal(sent.status, 200, sent.body);
    await engine.serving.stop('digits');
  });

  it('answer tables as the network itself does', async () => {
    const { inputs = [], answers = [] } = told.price ?? {};
    const endpoint = await serve('price');
    const { predictions } = await ask(endpoint, '/invocations', {
      dataframe_split: { columns, data: inputs },
    });
    assertNear(
      predictions.map((row: Record<string, number>) => Object.values(row)[0]),
      answers.flat(),
    );
    await engine.serving.stop('price');
  });
});
