import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openPythonModel } from '../../src/inference/python/pythonModel.ts';
import { SlipwayError } from '../../src/protocol/errors.ts';
import type { ScorerMessage } from '../../src/protocol/scorer.ts';
import { pythonWithPeers } from '../python.ts';
import { forkScorer, removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';

interface Exchange {
  readonly body: unknown;
  readonly answer: unknown;
}

const modelNames = [
  'pipeline',
  'xgboost',
  'lightgbm',
  'withoutSignature',
  'tensor',
  'missingValues',
  'tensors',
];

/** Equal up to what the last digits of 32-bit floats may differ when they are written as JSON. */
function assertSame(found: unknown, expected: unknown, place = 'answer'): void {
  if (typeof expected === 'number') {
    assert.equal(typeof found, 'number', place);
    assert.ok(
      Math.abs(Number(found) - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
      `${place}: ${found} is not ${expected}`,
    );
  } else if (typeof expected === 'object' && expected !== null) {
    assert.ok(typeof found === 'object' && found !== null, place);
    assert.deepEqual(Object.keys(found), Object.keys(expected), place);
    for (const [key, value] of Object.entries(expected))
      assertSame(Reflect.get(found, key), value, `${place}.${key}`);
  } else assert.equal(found, expected, place);
}

/** The processes whose parent is `parent`, with their commands. */
function childrenOf(parent: number): readonly { readonly id: number; readonly command: string }[] {
  return execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, id, itsParent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return Number(itsParent) === parent ? [{ id: Number(id), command }] : [];
    });
}

function isRunning(id: number): boolean {
  try {
    return readlinkSync(`/proc/${id}/exe`) !== '';
  } catch {
    return false;
  }
}

describe('Models that only Python can load', function () {
  this.timeout(600_000);
  let folder: string;
  let python: string;
  let expected: Readonly<Record<string, readonly Exchange[]>>;
  before(async function () {
    python = pythonWithPeers(this);
    folder = await temporaryFolder();
    const script = join(import.meta.dirname, '../fixtures/python/python_models.py');
    execFileSync(python, ['-W', 'ignore', script, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  });
  after(async () => {
    if (folder) await removeFolder(folder);
  });

  /** A real scorer that serves one of the models. */
  async function serve(name: string, runMilliseconds = 60_000) {
    const warnings: string[] = [];
    const { child, first } = forkScorer(
      {
        endpoint: name,
        models: [
          {
            name,
            version: 1,
            source: { type: 'python', folder: join(folder, name), python },
            columns: columnsOf(name),
          },
        ],
        host: '127.0.0.1',
        port: 0,
        token: null,
        inferenceLog: null,
        limits: { runMilliseconds },
      },
      (message: ScorerMessage) => {
        if (message.type === 'warning') warnings.push(message.message);
      },
    );
    const ready = await first;
    assert.equal(ready.type, 'ready', JSON.stringify(ready));
    if (ready.type !== 'ready') throw new Error('unreachable');
    const url = `http://127.0.0.1:${ready.port}`;
    return {
      child,
      ready,
      warnings,
      async ask(path: string, body: unknown) {
        const response = await fetch(`${url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        const text = await response.text();
        return { status: response.status, text, json: JSON.parse(text) };
      },
      async drain() {
        const exited = once(child, 'exit');
        child.send({ type: 'drain' });
        await exited;
      },
    };
  }

  function columnsOf(name: string): string[] | null {
    switch (name) {
      case 'pipeline':
        return ['city', 'age', 'income', 'member'];
      case 'xgboost':
      case 'lightgbm':
        return ['a', 'b', 'c'];
      case 'missingValues':
        return ['kind', 'size'];
      case 'custom':
        return ['amount', 'discount', 'at'];
      default:
        return null;
    }
  }

  for (const name of modelNames) {
    it(`${name} answers as MLflow's own server does`, async () => {
      const scorer = await serve(name);
      const exchanges = expected[name] ?? [];
      assert.notEqual(exchanges.length, 0);
      for (const { body, answer } of exchanges) {
        const { status, json, text } = await scorer.ask('/invocations', body);
        assert.equal(status, 200, text);
        assertSame(json, answer);
      }
      await scorer.drain();
    });
  }

  it('refuses values that the model does not take, and goes on', async () => {
    const scorer = await serve('pipeline');
    const ask = (city: unknown) =>
      scorer.ask('/invocations', {
        dataframe_split: { columns: ['city', 'age', 'income', 'member'], data: [[city, 30, 2000, true]] },
      });
    const refused = await ask('Atlantis');
    assert.equal(refused.status, 400);
    assert.match(refused.text, /cannot take these values: Found unknown categories \['Atlantis'\]/);
    assert.doesNotMatch(refused.text, /Traceback|File "/);
    assert.equal((await ask('Recife')).status, 200);
    await scorer.drain();
  });

  it('answers requests that are there together, each with its own rows', async () => {
    const scorer = await serve('xgboost');
    const rows = Array.from({ length: 60 }, (_, row) => [row / 30 - 1, 0.5, -0.5]);
    const together = await Promise.all(
      rows.map((row) =>
        scorer.ask('/invocations', { dataframe_split: { columns: ['a', 'b', 'c'], data: [row] } }),
      ),
    );
    const atOnce = await scorer.ask('/invocations', {
      dataframe_split: { columns: ['a', 'b', 'c'], data: rows },
    });
    assert.deepEqual(
      together.flatMap(({ json }) => json.predictions),
      atOnce.json.predictions,
    );
    await scorer.drain();
  });

  describe('with code of their own', () => {
    let scorer: Awaited<ReturnType<typeof serve>>;
    before(async () => {
      scorer = await serve('custom', 3_000);
    });

    const amounts = (...values: readonly number[]) => ({
      dataframe_records: values.map((amount) => ({ amount, at: '2026-01-31' })),
    });

    it("answer as MLflow's own server does", async () => {
      for (const { body, answer } of expected.custom ?? []) {
        const { status, json, text } = await scorer.ask('/invocations', body);
        assert.equal(status, 200, text);
        assertSame(json, answer);
      }
    });

    it('tells what it takes and gives in the words of the Open Inference Protocol', async () => {
      const [version] = scorer.ready.versions;
      assert.deepEqual(version?.inputs, [
        { name: 'amount', datatype: 'FP64', shape: [-1] },
        { name: 'discount', datatype: 'FP64', shape: [-1] },
        { name: 'at', datatype: 'BYTES', shape: [-1] },
      ]);
      assert.deepEqual(
        version?.outputs.map(({ name, datatype }) => [name, datatype]),
        [
          ['price', 'FP64'],
          ['label', 'BYTES'],
          ['day', 'BYTES'],
        ],
      );
      const { status, json, text } = await scorer.ask('/v2/models/custom/infer', {
        inputs: [
          { name: 'amount', datatype: 'FP64', shape: [2], data: [1, 20] },
          { name: 'at', datatype: 'BYTES', shape: [2], data: ['2026-01-31', '2026-02-01T12:00:00Z'] },
        ],
      });
      assert.equal(status, 200, text);
      assert.deepEqual(
        json.outputs.map(({ data }: { data: unknown }) => data),
        [
          [1, 20],
          ['low', 'high'],
          ['Saturday', 'Sunday'],
        ],
      );
    });

    it('tells what went wrong in a model, without its stack', async () => {
      const refused = await scorer.ask('/invocations', amounts(-3));
      assert.equal(refused.status, 400);
      assert.match(refused.text, /amounts cannot be that negative/);
      const broken = await scorer.ask('/invocations', amounts(-4));
      assert.equal(broken.status, 500);
      assert.match(broken.text, /The model failed: the rules broke/);
      assert.doesNotMatch(broken.text, /Traceback|File "/);
    });

    it('starts the Python process again after it went away, and answers the next request', async () => {
      const { status, text } = await scorer.ask('/invocations', amounts(-1));
      assert.equal(status, 500);
      assert.match(text, /Python process went away while predicting: it ended with code 7/);
      assert.equal((await scorer.ask('/invocations', amounts(5))).status, 200);
    });

    it('ends a prediction that takes too long, and answers the next request', async () => {
      const { status, text } = await scorer.ask('/invocations', amounts(-2));
      assert.equal(status, 504);
      assert.match(text, /predicting took longer than 3 s/);
      assert.equal((await scorer.ask('/invocations', amounts(5))).status, 200);
    });

    it('leaves no Python behind when the scorer is killed, not even one that predicts', async function () {
      if (process.platform !== 'linux') this.skip();
      const children = childrenOf(scorer.child.pid ?? 0);
      assert.equal(children.filter(({ command }) => command.includes('serve.py')).length, 1);
      const asked = scorer.ask('/invocations', amounts(-2)).catch(() => null);
      await setTimeout(500);
      const exited = once(scorer.child, 'exit');
      scorer.child.kill('SIGKILL');
      await exited;
      await asked;
      while (children.some(({ id }) => isRunning(id))) await setTimeout(20);
    });
  });

  it('keeps its own secrets from the model', async () => {
    process.env.SLIPWAY_TEST_SECRET = 'a secret';
    process.env.MLFLOW_TRACKING_TOKEN = 'a token';
    try {
      const model = await openPythonModel({
        name: 'custom',
        version: 1,
        folder: join(folder, 'custom'),
        python,
        runMilliseconds: 10_000,
      });
      const [child] = childrenOf(process.pid).filter(({ command }) => command.includes('serve.py'));
      const environment = readFileSync(`/proc/${child?.id}/environ`, 'utf8');
      assert.doesNotMatch(environment, /SLIPWAY_|a secret|a token/);
      await model.close();
      assert.equal(isRunning(child?.id ?? 0), false);
    } finally {
      delete process.env.SLIPWAY_TEST_SECRET;
      delete process.env.MLFLOW_TRACKING_TOKEN;
    }
  });

  it('says why a model cannot be loaded', async () => {
    const open = (model: string, interpreter: string) =>
      openPythonModel({
        name: model,
        version: 2,
        folder: join(folder, model),
        python: interpreter,
        runMilliseconds: 10_000,
        output: () => undefined,
      });
    const problemWith = (detail: RegExp) => (error: unknown) =>
      error instanceof SlipwayError && error.kind === 'pythonModelUnreadable' && detail.test(error.message);
    await assert.rejects(
      open('unknownInputs', python),
      problemWith(/neither a signature nor an input example/),
    );
    await assert.rejects(open('custom', join(folder, 'nowhere')), problemWith(/ENOENT/));
  });
});
