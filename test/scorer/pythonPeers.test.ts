import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonWithPeers } from '../python.ts';
import { removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

interface Expected {
  readonly columns: readonly string[] | null;
  readonly feeds: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: readonly unknown[] }>
  >;
  readonly outputs: Readonly<Record<string, readonly unknown[]>>;
  readonly invocations: readonly { readonly type: string; readonly body: string; readonly answer: unknown }[];
}

const modelNames = [
  'logistic_tensor',
  'logistic_integer_labels',
  'forest_string_labels',
  'regressor',
  'forest_regressor',
  'mixed_pipeline',
];

describe('A scorer gives what the Python peers give', function () {
  this.timeout(300_000);
  let folder: string;
  let expectations: Readonly<Record<string, Expected>>;
  before(async function () {
    const python = pythonWithPeers(this);
    folder = await temporaryFolder();
    const script = join(import.meta.dirname, '../fixtures/python/servable_models.py');
    execFileSync(python, ['-W', 'ignore', script, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    expectations = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  });
  after(async () => {
    if (folder) await removeFolder(folder);
  });

  for (const name of modelNames) {
    it(name, async () => {
      const expected = expectations[name];
      assert.ok(expected);
      const columns = expected.columns;
      const scorer = await startScorerProcess(
        folder,
        join(folder, name, 'model.onnx'),
        columns ? { columns } : {},
      );
      assert.deepEqual(
        scorer.messages.filter(({ type }) => type === 'warning'),
        [],
      );
      const inputs = scorer.version.inputs.map(({ name, datatype }) => ({
        name,
        datatype,
        ...expected.feeds[name],
      }));
      const { status, json, text } = await scorer.ask('/v2/models/wine/infer', { body: { inputs } });
      assert.equal(status, 200, text);
      assert.deepEqual(
        json.outputs.map((output: { name: string }) => output.name),
        Object.keys(expected.outputs),
      );
      for (const { name, data, parameters } of json.outputs) {
        const rows = expected.outputs[name] ?? [];
        const labels: string[] = JSON.parse(parameters?.class_labels ?? '[]').map(String);
        const values = rows.map((row) => (isRecord(row) ? labels.map((label) => row[label]) : row));
        assertClose(data, values.flat(3));
      }
      for (const { type, body, answer } of expected.invocations) {
        const ours = await scorer.ask('/invocations', { body, headers: { 'content-type': type } });
        assert.equal(ours.status, 200, `${body} ${ours.text}`);
        assertClose(ours.json, answer, body);
      }
      await scorer.drain();
    });
  }

  it('names its columns as the signature does, where the converter had to rename them', async () => {
    const scorer = await startScorerProcess(folder, join(folder, 'mixed_pipeline', 'model.onnx'), {
      columns: ['acidity', 'colour', 'residual sugar'],
    });
    assert.deepEqual(
      scorer.version.inputs.map(({ name }) => name),
      ['acidity', 'colour', 'residual_sugar'],
    );
    const record = { colour: 'rosé', 'residual sugar': 1, acidity: 2 };
    assert.equal((await scorer.ask('/invocations', { body: { dataframe_records: [record] } })).status, 200);
    await scorer.drain();
  });
});

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal in form; numbers within 1e-5. */
function assertClose(actual: unknown, expected: unknown, message = ''): void {
  if (typeof expected === 'number' && typeof actual === 'number') {
    assert.ok(
      Math.abs(actual - expected) <= 1e-5 * Math.max(1, Math.abs(expected)),
      `${actual} ${expected} ${message}`,
    );
  } else if (Array.isArray(expected) && Array.isArray(actual)) {
    assert.equal(actual.length, expected.length, message);
    for (const [index, value] of expected.entries()) assertClose(actual[index], value, message);
  } else if (isRecord(expected) && isRecord(actual)) {
    assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), message);
    for (const [key, value] of Object.entries(expected)) assertClose(actual[key], value, message);
  } else assert.deepEqual(actual, expected, message);
}
