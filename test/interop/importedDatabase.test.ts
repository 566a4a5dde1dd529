import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ImportRecord } from '../../src/protocol/importing.ts';
import { mlflowDatabaseReader } from '../../src/worker/import/mlflowDatabase.ts';
import { type ImportEngine, openImportEngine, unwatched } from '../engine/importEngine.ts';
import { pythonWithPeers } from '../python.ts';
import { growWork } from './trackedWork.ts';

const schemas = join(import.meta.dirname, '../fixtures/python/mlflow_schemas.py');
const run = '1'.repeat(32);
const model = `m-${'2'.repeat(32)}`;

describe('Importing an mlflow.db', () => {
  describe('of every schema since 0.9.1', () => {
    let folder = '';
    let names: readonly string[];
    before(async function () {
      this.timeout(300_000);
      const python = pythonWithPeers(this);
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-schemas-')));
      mkdirSync(join(folder, 'mlruns', '0', run, 'artifacts', 'model'), { recursive: true });
      copyFileSync(schemas, join(folder, 'mlruns', '0', run, 'artifacts', 'model', 'MLmodel'));
      const { stdout } = await promisify(execFile)(python, [schemas, folder]);
      names = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    });
    after(() => {
      if (folder !== '') rmSync(folder, { recursive: true, force: true });
    });

    const read = async (name: string) => {
      const records: ImportRecord[] = [];
      const options = { known: new Map(), offsets: new Map(), changed: null, remaps: [] };
      for await (const record of mlflowDatabaseReader.read(join(folder, name), options)) records.push(record);
      return records;
    };
    const ofType = <Type extends ImportRecord['type']>(records: readonly ImportRecord[], type: Type) =>
      records.filter((record): record is Extract<ImportRecord, { type: Type }> => record.type === type);

    it('reads what each has', async function () {
      this.timeout(120_000);
      assert.ok(names.length >= 60, `${names.length} schemas`);
      const tableSince = (revision: string) => names.findIndex((name) => name.includes(revision));
      for (const [number, name] of names.entries()) {
        const has = (revision: string) => number >= tableSince(revision) && tableSince(revision) >= 0;
        const records = await read(name);
        const count = (type: ImportRecord['type']) => ofType(records, type).length;
        assert.deepEqual(ofType(records, 'omission'), [], name);
        const [first, second] = ofType(records, 'experiment');
        assert.deepEqual(
          [first?.name, first?.lifecycleStage, second?.lifecycleStage],
          ['Default', 'active', 'deleted'],
        );
        assert.equal(first?.tags.length, has('df50e92ffc5e') ? 1 : 0, name);
        assert.equal(first?.creationTime, has('97727af70f4d') ? 5 : null, name);
        const [found] = ofType(records, 'run');
        assert.deepEqual(
          [found?.runId, found?.name, found?.status, found?.startTime, found?.endTime, found?.userId],
          [run, 'a run', 'FINISHED', 1500000000000, 1500000001000, 'somebody'],
          name,
        );
        assert.deepEqual(found?.parameters, [{ key: 'lr', value: '0.1' }], name);
        assert.equal(found?.tags.find(({ key }) => key === 'mlflow.source.git.commit')?.value, 'abc', name);
        assert.equal(found?.datasets.length, has('7f2a7d5fae7d') ? 1 : 0, name);
        const [points] = ofType(records, 'points');
        const steps = has('451aebb31d03') ? [1, 2] : [0, 0];
        assert.deepEqual([...(points?.steps ?? [])], steps, name);
        assert.deepEqual([...(points?.values ?? [])], [0.5, 0.25], name);
        const [artifact] = ofType(records, 'artifact');
        assert.equal(artifact?.path, 'model/MLmodel', name);
        assert.equal(count('registeredModel'), has('2b4d017a5e9b') ? 1 : 0, name);
        const [version] = ofType(records, 'modelVersion');
        const files = { owner: { type: 'run', id: run }, path: 'model' };
        assert.deepEqual(
          [version?.stage, version?.files, version?.tags.length],
          has('2b4d017a5e9b')
            ? ['Staging', files, has('27a6a02d2cf1') ? 1 : 0]
            : [undefined, undefined, undefined],
          name,
        );
        const [aliases] = ofType(records, 'modelAliases');
        assert.equal(aliases?.aliases.length ?? 0, has('3500859a5d39') ? 1 : 0, name);
        assert.equal(
          ofType(records, 'loggedModel')[0]?.modelId,
          has('400f98739977') ? model : undefined,
          name,
        );
      }
    });

    it('takes the oldest and the newest into the store, and nothing twice', async function () {
      this.timeout(120_000);
      for (const name of [names.at(0) ?? '', names.at(-1) ?? '']) {
        const engine = openImportEngine();
        try {
          const first = await engine.importAll(join(folder, name));
          assert.deepEqual([first.runs, first.points, first.artifacts, first.omissions], [1, 2, 1, []]);
          const second = await engine.importAll(join(folder, name));
          assert.deepEqual([second.runs, second.points, second.artifacts], [0, 0, 0]);
        } finally {
          await engine.close();
        }
      }
    });
  });

  describe('while MLflow writes to it', () => {
    let engine: ImportEngine;
    beforeEach(() => {
      engine = openImportEngine();
    });
    afterEach(() => engine.close());

    it('keeps in sync, and keeps no writer waiting until it fails', async function () {
      this.timeout(180_000);
      const python = pythonWithPeers(this);
      const work = join(engine.folder, 'work');
      mkdirSync(work);
      const begin = () => growWork(python, work, 'sqlite:///mlflow.db', 15);
      const first = begin();
      while (!first.output().includes('started')) await pause(50);
      const writers = [first, begin()];
      const source = { kind: 'mlflowdb', path: join(work, 'mlflow.db') } as const;
      await engine.interop.import({ ...source, remaps: [], keepInSync: true }, unwatched);
      const outputs = await Promise.all(writers.map(({ ended }) => ended));
      const logged = outputs.map((output) => Number(/logged (\d+)/.exec(output)?.[1]));
      const counts = () =>
        engine.tracking
          .searchRuns({
            experimentIds: [engine.tracking.experimentByName('growing').experimentId],
            filter: '',
            orderBy: [],
            maxResults: 10,
            pageToken: '',
            viewType: 'ALL',
          })
          .items.map(({ info, metrics }) => [info.status, (metrics[0]?.step ?? -1) as number])
          .sort((one, other) => Number(one[1]) - Number(other[1]));
      const wanted = logged.sort((one, other) => one - other).map((count) => ['FINISHED', count - 1]);
      while (JSON.stringify(counts()) !== JSON.stringify(wanted)) await pause(50);
      const points = engine.database.prepare<[], { n: number }>('SELECT count(*) AS n FROM metrics').get()?.n;
      assert.equal(
        points,
        logged.reduce((sum, count) => sum + count, 0),
      );
      assert.deepEqual(engine.log, []);
    });
  });
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
