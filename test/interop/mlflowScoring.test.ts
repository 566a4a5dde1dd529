import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pythonWithPeers } from '../python.ts';
import {
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from '../scorer/scorerProcess.ts';
import { errorMembers, readMlflowJson, scoringDifferences } from './mlflowDifferences.ts';
import { type ScoringRequest, scoringRequests } from './mlflowScoringRequests.ts';

const models = { signed: 'regressor', unsigned: 'forest_string_labels' } as const;
const fixtures = join(import.meta.dirname, '../fixtures/python');

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

describe("A scorer and MLflow's scoring server answer the same", function () {
  this.timeout(300_000);
  let python: string;
  let folder: string;
  let server: ChildProcess;
  let ports: Readonly<Record<string, number>>;
  let scorers: Readonly<Record<ScoringRequest['model'], RunningScorer>>;

  before(async function () {
    python = pythonWithPeers(this);
    folder = await temporaryFolder();
    execFileSync(python, ['-W', 'ignore', join(fixtures, 'servable_models.py'), folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    server = spawn(
      python,
      ['-W', 'ignore', join(fixtures, 'scoring_servers.py'), folder, ...Object.values(models)],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    assert.ok(server.stdout);
    const [line] = await once(createInterface({ input: server.stdout }), 'line');
    ports = JSON.parse(line);
    const start = (name: string, options = {}) =>
      startScorerProcess(folder, join(folder, name, 'model.onnx'), { token: null, ...options });
    const columns = ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)'];
    scorers = { signed: await start(models.signed, { columns }), unsigned: await start(models.unsigned) };
  });
  after(async () => {
    for (const scorer of Object.values(scorers ?? {})) await scorer.drain();
    if (server && server.exitCode === null) {
      server.stdin?.end();
      await once(server, 'exit');
    }
    if (folder) await removeFolder(folder);
  });

  const send = async (base: string, request: ScoringRequest): Promise<Answer> => {
    const { type = 'application/json', method = 'POST', path = '/invocations', body } = request;
    const response = await fetch(`${base}${path}`, {
      method,
      headers: type === null ? {} : { 'content-type': type },
      ...(method === 'GET' ? {} : { body: Buffer.from(body, 'latin1') }),
    });
    const contentType = response.headers.get('content-type') ?? '';
    return { status: response.status, type: contentType, text: await response.text() };
  };
  const ask = async (request: ScoringRequest) => ({
    theirs: await send(`http://127.0.0.1:${ports[models[request.model]]}`, request),
    ours: await send(scorers[request.model].url, request),
  });

  it('has an entry for every difference, and only for requests that there are', () => {
    const names = scoringRequests.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const name of Object.keys(scoringDifferences)) assert.ok(names.includes(name), name);
  });

  for (const request of scoringRequests) {
    it(request.name, async () => {
      const { theirs, ours } = await ask(request);
      const said = `ours: ${ours.text}\ntheirs: ${theirs.text.slice(0, 2000)}`;
      const difference = scoringDifferences[request.name];
      assert.deepEqual(
        [ours.status, theirs.status],
        [difference?.ours ?? theirs.status, difference?.theirs ?? theirs.status],
        said,
      );
      if (ours.status !== 200) {
        assert.doesNotMatch(ours.text, /stack_trace|\n\s+at |\.ts\b|\/tmp\//, said);
        if (ours.status === 415) assert.equal(ours.type, 'text/plain; charset=utf-8');
        else if (request.path === undefined) {
          assert.deepEqual(Object.keys(JSON.parse(ours.text)), [...errorMembers], said);
        }
      } else if (theirs.status === 200) {
        assert.equal(ours.type, theirs.type);
        if (request.path === undefined) assertClose(JSON.parse(ours.text), readMlflowJson(theirs.text), said);
        else if (request.path !== '/version') assert.equal(ours.text, theirs.text);
      }
    });
  }

  it('the real client gets its predictions', () => {
    const script = `
import json, sys
import numpy as np, pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
signed, unsigned = (ScoringServerClient("127.0.0.1", int(port)) for port in sys.argv[1:3])
for client in (signed, unsigned):
    client.wait_server_ready(timeout=10)
columns = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)"]
table = pd.DataFrame([[5.1, 3.5, 1.4], [np.nan, 2.2, 4.5]], columns=columns)
answers = [
    signed.invoke(table, params={"a": 1}),
    unsigned.invoke(np.array([[5.1, 3.5, 1.4, 0.2]], dtype=np.float32)),
]
frame = answers[0].get_predictions()
print(json.dumps({
    "version": signed.get_version(),
    "rows": [None if pd.isna(value) else value for value in frame["variable"]],
    "answers": [json.loads(answer.to_json()) for answer in answers],
}))`;
    const urls = [scorers.signed.url, scorers.unsigned.url].map((url) => new URL(url).port);
    const { version, rows, answers } = JSON.parse(
      execFileSync(python, ['-W', 'ignore', '-c', script, ...urls], { encoding: 'utf8' }),
    );
    assert.match(version, /^\d+\.\d+\.\d+$/);
    assertClose(rows, [0.22019225358963013, null]);
    assert.deepEqual(answers[1].predictions.output_label, ['setosa']);
  });
});

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal in form; numbers within 1e-5. */
function assertClose(actual: unknown, expected: unknown, message = ''): void {
  if (typeof expected === 'number' && typeof actual === 'number') {
    assert.ok(Math.abs(actual - expected) <= 1e-5 * Math.max(1, Math.abs(expected)), message);
  } else if (Array.isArray(expected) && Array.isArray(actual)) {
    assert.equal(actual.length, expected.length, message);
    for (const [index, value] of expected.entries()) assertClose(actual[index], value, message);
  } else if (isRecord(expected) && isRecord(actual)) {
    assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), message);
    for (const [key, value] of Object.entries(expected)) assertClose(actual[key], value, message);
  } else assert.deepEqual(actual, expected, message);
}
