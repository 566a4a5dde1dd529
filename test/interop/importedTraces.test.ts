import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createChanges } from '../../src/engine/changes.ts';
import { createInteropService, type InteropService } from '../../src/engine/interop/service.ts';
import type { ImportReport } from '../../src/protocol/importing.ts';
import { type HttpEngine, openHttpEngine } from '../engine/httpEngine.ts';
import { unwatched, workerScript } from '../engine/importEngine.ts';
import { dumpImports } from '../engine/storeDump.ts';
import { pythonWithPeers } from '../python.ts';
import type { PythonVariable } from '../toolchain/pythonPeers.ts';
import { until } from './importedRuns.ts';

const script = join(import.meta.dirname, '../fixtures/python/traced_work.py');

const stores: readonly {
  readonly title: string;
  readonly peer: PythonVariable;
  readonly kind: 'mlruns' | 'mlflowdb';
}[] = [
  { title: 'an mlflow.db of MLflow 3', peer: 'SLIPWAY_TEST_PYTHON', kind: 'mlflowdb' },
  { title: 'an mlruns folder of MLflow 3', peer: 'SLIPWAY_TEST_PYTHON', kind: 'mlruns' },
  { title: 'an mlruns folder of MLflow 2', peer: 'SLIPWAY_TEST_PYTHON_MLFLOW2', kind: 'mlruns' },
  { title: 'an mlflow.db of MLflow 2', peer: 'SLIPWAY_TEST_PYTHON_MLFLOW2', kind: 'mlflowdb' },
];

interface TraceDescription {
  readonly state: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly assessments: readonly unknown[];
  readonly spans: readonly { readonly name: string; readonly parent: string | null }[];
}

interface Description {
  readonly found: Readonly<Record<string, TraceDescription>>;
  readonly whole: Readonly<Record<string, TraceDescription>>;
  readonly order: readonly string[];
  readonly of_run: readonly string[];
}

for (const { title, peer, kind } of stores) {
  describe(`Importing the traces of ${title}`, () => {
    let python: string;
    let engine: HttpEngine;
    let interop: InteropService;
    let work: string;
    let uri: string;

    const run = async (command: string, where: string): Promise<string> => {
      const env = { ...process.env, MLFLOW_ALLOW_FILE_STORE: 'true', GIT_PYTHON_REFRESH: 'quiet' };
      const { stdout } = await promisify(execFile)(python, [script, command, where], { cwd: work, env });
      return stdout.trim().split('\n').at(-1) ?? '';
    };
    const tell = async (where: string): Promise<Description> => JSON.parse(await run('describe', where));
    const sourceOf = () => ({ kind, path: join(work, kind === 'mlruns' ? 'mlruns' : 'mlflow.db') });
    const importIt = (keepInSync = false): Promise<ImportReport> =>
      interop.import({ ...sourceOf(), remaps: [], keepInSync }, unwatched);
    const dump = () => [
      ...['traces', 'trace_tags', 'trace_metadata', 'trace_assessments', 'trace_spans', 'trace_runs'].map(
        (table) => engine.database.prepare<[], unknown>(`SELECT * FROM ${table} ORDER BY 1, 2`).all(),
      ),
      dumpImports(engine.database),
    ];
    const spanCount = () =>
      engine.database.prepare<[], { n: number }>('SELECT count(*) AS n FROM trace_spans').get()?.n;

    before(async function () {
      this.timeout(180_000);
      python = pythonWithPeers(this, peer);
      engine = await openHttpEngine(null);
      interop = createInteropService({ ...engine, changes: createChanges(), script: workerScript });
      work = join(engine.folder, 'work');
      mkdirSync(work);
      uri = kind === 'mlruns' ? pathToFileURL(join(work, 'mlruns')).href : 'sqlite:///mlflow.db';
      await run('make', uri);
    });
    after(async () => {
      await interop?.close();
      await engine?.close();
    });

    it('gives traces of which the client says the same', async function () {
      this.timeout(120_000);
      const there = await tell(uri);
      const traces = Object.values(there.whole);
      assert.deepEqual(traces.map(({ state }) => state.replace('TraceStatus.', '')).sort(), [
        'ERROR',
        'OK',
        'OK',
      ]);
      assert.ok(traces.every(({ spans }) => spans.length > 1 && spans.some(({ parent }) => parent !== null)));
      assert.equal(there.of_run.length, 2);
      const report = await importIt();
      assert.deepEqual([report.traces, report.omissions], [3, []]);
      assert.deepEqual(await tell(engine.url), there);
      assert.equal(spanCount(), 8);
    });

    it('changes nothing the second time', async () => {
      const before = dump();
      const { traces, artifacts, omissions } = await importIt();
      assert.deepEqual([traces, artifacts, omissions], [0, 0, []]);
      assert.deepEqual(dump(), before);
    });

    it('goes on where the spans were not taken in', async () => {
      const before = dump();
      for (const table of ['trace_spans', 'import_parts'])
        engine.database.prepare(`DELETE FROM ${table}`).run();
      await importIt();
      assert.deepEqual(dump(), before);
    });

    it('says that an export leaves them out', async () => {
      const { experimentId } = engine.tracking.experimentByName('agents');
      const folder = join(engine.folder, 'exported');
      const { omissions } = await interop.export({ runId: null, experimentId, folder }, unwatched);
      assert.deepEqual(
        omissions.map(({ subject, reason }) => [subject, reason]),
        [[`experiment ${experimentId}/traces`, 'notSupported']],
      );
    });

    it('keeps in sync, and keeps what was changed here', async function () {
      this.timeout(120_000);
      const before = await tell(uri);
      const id = Object.entries(before.whole).find(([, { state }]) => state.includes('ERROR'))?.[0] ?? '';
      engine.tracking.setTraceTag(id, 'here', 'only');
      await importIt(true);
      const tags = () =>
        Object.fromEntries(engine.tracking.trace(id).tags.map(({ key, value }) => [key, value]));
      const known = engine.tracking.trace(id).assessments.length;
      await run('judge', uri);
      const there = (await tell(uri)).whole[id];
      assert.ok(there);
      await until(() => {
        const { assessments } = engine.tracking.trace(id);
        return tags().late === 'yes' && assessments.length === there.assessments.length;
      });
      await interop.stopSync(sourceOf());
      assert.deepEqual([tags().here, tags().team], ['only', 'supply']);
      assert.ok(there.assessments.length >= known);
      const here = (await tell(engine.url)).whole[id];
      assert.deepEqual(here, { ...there, tags: { ...there.tags, here: 'only' } });
    });
  });
}
