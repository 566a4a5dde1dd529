import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createChanges } from '../../src/engine/changes.ts';
import { createInteropService, type InteropService } from '../../src/engine/interop/service.ts';
import type { ImportReport } from '../../src/protocol/importing.ts';
import { type HttpEngine, openHttpEngine } from '../engine/httpEngine.ts';
import { openImportEngine, unwatched, workerScript } from '../engine/importEngine.ts';
import { dumpImports, dumpStore, type StoreDump } from '../engine/storeDump.ts';
import { pythonWithPeers } from '../python.ts';
import type { PythonVariable } from '../toolchain/pythonPeers.ts';
import { type AnsweringScript, startAnswering } from './answeringScript.ts';
import { until } from './importedRuns.ts';

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
    let client: AnsweringScript;
    let engine: HttpEngine;
    let interop: InteropService;
    let work: string;
    let uri: string;

    const tell = async (where: string): Promise<Description> =>
      JSON.parse(await client.ask('describe', where));
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
      const python = pythonWithPeers(this, peer);
      engine = await openHttpEngine(null);
      interop = createInteropService({ ...engine, changes: createChanges(), script: workerScript });
      work = join(engine.folder, 'work');
      mkdirSync(work);
      uri = kind === 'mlruns' ? pathToFileURL(join(work, 'mlruns')).href : 'sqlite:///mlflow.db';
      client = startAnswering(python, 'traced_work.py', work, {
        MLFLOW_ALLOW_FILE_STORE: 'true',
        GIT_PYTHON_REFRESH: 'quiet',
      });
      await client.ask('make', uri);
    });
    after(async () => {
      await client?.close();
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

    it('can be exported to an mlruns folder of which the client says the same, and imported from there', async function () {
      this.timeout(180_000);
      const { experimentId } = engine.tracking.experimentByName('agents');
      const folder = join(engine.folder, 'exported');
      const report = await interop.export({ runId: null, experimentId, folder }, unwatched);
      // The spans of each, and the notes of the run.
      assert.deepEqual([report.traces, report.artifacts, report.omissions], [3, 4, []]);
      assert.deepEqual(await tell(pathToFileURL(join(folder, 'mlruns')).href), await tell(engine.url));

      const other = openImportEngine();
      try {
        const { traces, omissions } = await other.importAll(folder);
        assert.deepEqual([traces, omissions], [3, []]);
        assert.deepEqual(tracesIn(dumpStore(other.database)), tracesIn(dumpStore(engine.database)));
      } finally {
        await other.close();
      }
    });

    it('are exported with the run in which they were made', async function () {
      this.timeout(120_000);
      const { of_run: ofRun } = await tell(uri);
      const { experimentId } = engine.tracking.experimentByName('agents');
      const [run] = engine.tracking.searchRuns({ ...everything, experimentIds: [experimentId] }).items;
      const runId = run?.info.runId ?? '';
      const folder = join(engine.folder, 'exported-run');
      const report = await interop.export({ runId, experimentId: null, folder }, unwatched);
      assert.deepEqual([report.runs, report.traces, report.omissions], [1, 2, []]);
      const there = await tell(pathToFileURL(join(folder, 'mlruns')).href);
      assert.deepEqual([Object.keys(there.whole).sort(), there.of_run], [ofRun, ofRun]);
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
      await client.ask('judge', uri);
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

const everything = { filter: '', orderBy: [], maxResults: 100, pageToken: '', viewType: 'ALL' } as const;

function tracesIn(dump: StoreDump): readonly unknown[] {
  return Object.entries(dump).filter(([table]) => table.startsWith('trace'));
}
