import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { createChanges } from '../../src/engine/changes.ts';
import { createStore, inferenceLogFile, type StoreLayout, storeLayout } from '../../src/engine/layout.ts';
import { createMonitoringService, type MonitoringService } from '../../src/engine/monitoring/service.ts';
import { type ErrorKind, SlipwayError } from '../../src/protocol/errors.ts';
import type { ColumnDrift, DriftReport } from '../../src/protocol/monitoring.ts';
import type { DatasetInput } from '../../src/protocol/tracking.ts';
import { normal, seededRandom } from '../unit/statistics/sequences.ts';
import { inTemporaryFolder } from './headless.ts';
import { type LoggedRequest, writeInferenceLog } from './inferenceLog.ts';

const workerScript = join(import.meta.dirname, '../../src/worker/main.ts');
const censusFile = (name: string) =>
  join(import.meta.dirname, '../../../shared/data', `employment_MA_${name}.pq`);
const ever = { from: 0, to: 9e15 };
const unwatched = { signal: new AbortController().signal, progress: () => undefined };

interface Stage {
  readonly workspace: string;
  readonly layout: StoreLayout;
  readonly monitoring: MonitoringService;
  /** Writes the endpoint's log and lets go of it. */
  log(requests: Iterable<LoggedRequest>): void;
}

/** A monitoring service of an endpoint "wine" that serves version 3, made by a run with these datasets. */
async function onStage(
  datasets: readonly Pick<DatasetInput, 'name' | 'source' | 'context'>[],
  work: (stage: Stage) => Promise<void>,
): Promise<void> {
  await inTemporaryFolder(async (workspace) => {
    const layout = storeLayout(workspace);
    createStore(layout);
    const monitoring = createMonitoringService({
      serving: { endpoint: (name) => endpointNamed(name) },
      registry: { version: (name, version) => versionOf(name, version) },
      tracking: {
        runDatasets: () => datasets.map((dataset) => ({ ...dataset, digest: '', sourceType: 'local' })),
      },
      layout,
      changes: createChanges(),
      workspace,
      script: workerScript,
    });
    try {
      const log: Stage['log'] = (requests) => {
        writeInferenceLog(inferenceLogFile(layout, 'wine'), requests).close();
      };
      await work({ workspace, layout, monitoring, log });
    } finally {
      await monitoring.close();
    }
  });
}

function endpointNamed(name: string) {
  if (name !== 'wine') throw new SlipwayError('notFound', { detail: name });
  return {
    name,
    modelName: 'wine',
    modelVersion: 3,
    state: 'ready' as const,
    url: null,
    readySince: null,
    requestCount: 0,
    errorCount: 0,
    failure: null,
  };
}

function versionOf(name: string, version: number) {
  return {
    name,
    version,
    stage: 'None' as const,
    aliases: [],
    runId: 'run',
    runName: null,
    mainMetric: null,
    flavors: [],
    createdAt: 0,
  };
}

const ofKind = (kind: ErrorKind) => (error: unknown) => error instanceof SlipwayError && error.kind === kind;

const trainingData = { name: 'wines', context: 'training', source: '{"uri": "train.csv"}' };

function columnOf(report: DriftReport, name: string): ColumnDrift {
  const found = report.columns.find((column) => column.name === name);
  assert.ok(found, `no column ${name}`);
  return found;
}

/** 600 rows: a normal column, a colour, a truth value, and a code; `moved` shifts the first two. */
function tableRows(seed: number, moved: boolean) {
  const random = seededRandom(seed);
  return Array.from({ length: 600 }, (_, row) => ({
    alcohol: Math.round((normal(random) + (moved ? 1.5 : 0)) * 1000) / 1000,
    colour: random() < (moved ? 0.2 : 0.6) ? 'red' : 'white',
    organic: random() < 0.5,
    grade: Math.floor(random() * 4),
    'sugar, residual "g/l"': random() * 5,
    row,
  }));
}

function csvOf(rows: readonly object[]): string {
  const cell = (value: unknown) =>
    typeof value === 'string' && /[",]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value);
  const [first] = rows;
  assert.ok(first);
  return `${[Object.keys(first), ...rows.map((row) => Object.values(row))].map((cells) => cells.map(cell).join(',')).join('\n')}\n`;
}

/** Rows as requests of ten rows each, one a second. */
function requestsOf(rows: readonly object[], names: readonly string[]): LoggedRequest[] {
  const size = 10;
  return Array.from({ length: rows.length / size }, (_, request) => ({
    receivedAt: 1_000_000 + request * 1000,
    inputs: Object.fromEntries(
      names.map((name) => [
        name,
        rows.slice(request * size, (request + 1) * size).map((row) => Reflect.get(row, name)),
      ]),
    ),
  }));
}

const inputNames = ['alcohol', 'colour', 'organic', 'grade', 'sugar, residual "g/l"'];

describe('sources of a drift report', () => {
  it('are the datasets that lie here, the training one first, and the extent of the log', async () => {
    await onStage(
      [
        { name: 'late', context: 'evaluation', source: 'data/late.parquet' },
        { name: 'elsewhere', context: 'training', source: '{"uri": "s3://bucket/train.csv"}' },
        { name: 'web', context: 'training', source: '{"url": "https://example.com/train.csv"}' },
        { name: 'code', context: 'training', source: '{"tags": {"mlflow.source.name": "train.py"}}' },
        { name: 'gone', context: 'training', source: '{"uri": "gone.csv"}' },
        { name: 'folder', context: 'training', source: 'folder.csv' },
        { name: 'notes', context: 'training', source: 'notes.txt' },
        { name: 'again', context: 'training', source: './train.csv' },
        trainingData,
      ],
      async ({ workspace, monitoring, log }) => {
        mkdirSync(join(workspace, 'data'));
        mkdirSync(join(workspace, 'folder.csv'));
        for (const file of ['train.csv', 'notes.txt', 'data/late.parquet'])
          writeFileSync(join(workspace, file), '');
        assert.deepEqual(monitoring.driftSources('wine'), {
          endpoint: 'wine',
          references: [
            { label: 'again (train.csv)', file: join(workspace, 'train.csv') },
            { label: 'late (late.parquet)', file: join(workspace, 'data', 'late.parquet') },
          ],
          firstRequest: null,
          lastRequest: null,
          rowCount: 0,
        });
        log([
          { receivedAt: 5000, inputs: { a: [1, 2] } },
          { receivedAt: 7000, inputs: { a: [3] } },
          { receivedAt: 9000, inputs: null },
        ]);
        const { firstRequest, lastRequest, rowCount } = monitoring.driftSources('wine');
        assert.deepEqual(
          { firstRequest, lastRequest, rowCount },
          { firstRequest: 5000, lastRequest: 7000, rowCount: 3 },
        );
      },
    );
  });

  it('take addresses of files', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = join(folder, 'my data.csv');
      writeFileSync(file, '');
      const source = JSON.stringify({ uri: pathToFileURL(file).href });
      await onStage([{ name: 'far', context: 'training', source }], async ({ monitoring }) => {
        assert.deepEqual(monitoring.driftSources('wine').references, [{ label: 'far (my data.csv)', file }]);
      });
    });
  });

  it('need an endpoint', async () => {
    await onStage([], async ({ monitoring }) => {
      assert.throws(() => monitoring.driftSources('beer'), ofKind('notFound'));
    });
  });
});

describe('drift report', () => {
  it('compares a CSV file with the log, the columns that moved first', async () => {
    await onStage([trainingData], async ({ workspace, monitoring, log }) => {
      writeFileSync(join(workspace, 'train.csv'), csvOf(tableRows(1, false)));
      log(requestsOf(tableRows(2, true), [...inputNames]));
      const told: number[] = [];
      const report = await monitoring.drift(
        { endpoint: 'wine', referenceFile: null, ...ever },
        { ...unwatched, progress: (fraction) => told.push(fraction) },
      );
      assert.equal(report.referenceLabel, 'wines (train.csv)');
      assert.deepEqual([report.referenceRows, report.currentRows], [600, 600]);
      assert.deepEqual(report.referenceOnly, ['row']);
      assert.deepEqual(report.currentOnly, []);
      assert.deepEqual(
        report.columns.slice(0, 2).map(({ name, drifted, test }) => ({ name, drifted, test: test.name })),
        [
          { name: 'alcohol', drifted: true, test: 'kolmogorovSmirnov' },
          { name: 'colour', drifted: true, test: 'chiSquare' },
        ],
      );
      assert.deepEqual(
        report.columns
          .slice(2)
          .map(({ name, drifted, test }) => `${name}: ${drifted} ${test.name}`)
          .sort(),
        [
          'grade: false chiSquare',
          'organic: false chiSquare',
          'sugar, residual "g/l": false kolmogorovSmirnov',
        ],
      );
      assert.ok(told.length >= 5 && told.every((fraction, index) => fraction >= (told[index - 1] ?? 0)));
      assert.ok(told.every((fraction) => fraction >= 0 && fraction <= 1));
    });
  });

  it('is the same for a Parquet file, and for a compressed CSV file with a name full of signs', async () => {
    await onStage([], async ({ workspace, monitoring, log }) => {
      const csv = join(workspace, 'train.csv');
      writeFileSync(csv, csvOf(tableRows(1, false)));
      const odd = join(workspace, `it's [a] * "file".csv.gz`);
      writeFileSync(odd, gzipSync(csvOf(tableRows(1, false))));
      const parquet = join(workspace, 'train.parquet');
      const instance = await DuckDBInstance.create();
      const connection = await instance.connect();
      await connection.run(`COPY (FROM read_csv('${csv}')) TO '${parquet}' (FORMAT parquet)`);
      instance.closeSync();
      log(requestsOf(tableRows(2, true), inputNames));
      const reports = await Promise.all(
        [csv, parquet, odd].map((referenceFile) =>
          monitoring.drift({ endpoint: 'wine', referenceFile, ...ever }, unwatched),
        ),
      );
      const [first, ...others] = reports.map(({ columns }) => columns);
      for (const columns of others) assert.deepEqual(columns, first);
    });
  });

  it('takes only the requests of the window', async () => {
    await onStage([trainingData], async ({ workspace, monitoring, log }) => {
      writeFileSync(join(workspace, 'train.csv'), csvOf(tableRows(1, false)));
      const before = requestsOf(tableRows(2, false), inputNames);
      const after = requestsOf(tableRows(3, true), inputNames).map(({ receivedAt, inputs }) => ({
        receivedAt: receivedAt + 1_000_000,
        inputs,
      }));
      log([...before, ...after]);
      const request = { endpoint: 'wine', referenceFile: null };
      const quiet = await monitoring.drift({ ...request, from: 1_000_000, to: 1_059_000 }, unwatched);
      assert.equal(quiet.currentRows, 600);
      assert.deepEqual(
        quiet.columns.filter(({ drifted }) => drifted),
        [],
      );
      const moved = await monitoring.drift({ ...request, from: 2_000_000, to: 3_000_000 }, unwatched);
      assert.equal(columnOf(moved, 'alcohol').drifted, true);
      await assert.rejects(
        monitoring.drift({ ...request, from: 3_000_000, to: 4_000_000 }, unwatched),
        ofKind('noLoggedRequests'),
      );
    });
  });

  it('counts what is missing, infinite or no number', async () => {
    await onStage([trainingData], async ({ workspace, monitoring, log }) => {
      const rows = Array.from({ length: 100 }, (_, row) => [
        row === 0 ? '' : row === 1 ? 'NA' : row === 2 ? 'inf' : row * 1.5,
        'x',
      ]);
      writeFileSync(
        join(workspace, 'train.csv'),
        `size,kind\n${rows.map((cells) => cells.join(',')).join('\n')}\n`,
      );
      log([
        {
          receivedAt: 1,
          inputs: {
            size: [1.5, null, 'Infinity', '-Infinity', 'abc', '4.5'],
            kind: ['x', '', null, 'x', 'x', 'x'],
          },
        },
        { receivedAt: 2, inputs: { size: [3, 4] } },
      ]);
      const report = await monitoring.drift({ endpoint: 'wine', referenceFile: null, ...ever }, unwatched);
      const size = columnOf(report, 'size');
      assert.deepEqual(size.missing, { reference: 0.02, current: 2 / 8 });
      assert.deepEqual(size.counts, { reference: 98, current: 6 });
      assert.deepEqual(size.infinite, { reference: 1, current: 2 });
      assert.equal(size.histogram.kind, 'numeric');
      const kind = columnOf(report, 'kind');
      assert.deepEqual(kind.missing, { reference: 0, current: 4 / 8 });
      assert.deepEqual(kind.counts, { reference: 100, current: 4 });
    });
  });

  it('reports a column whose values stopped coming', async () => {
    await onStage([trainingData], async ({ workspace, monitoring, log }) => {
      writeFileSync(join(workspace, 'train.csv'), csvOf(tableRows(1, false)));
      log(
        requestsOf(
          tableRows(2, false).map((row) => ({ ...row, alcohol: null })),
          inputNames,
        ),
      );
      const report = await monitoring.drift({ endpoint: 'wine', referenceFile: null, ...ever }, unwatched);
      assert.equal(report.columns[0]?.name, 'alcohol');
      assert.deepEqual(report.columns[0].driftedIn, ['missing']);
    });
  });

  it('does not take single precision for drift', async () => {
    await onStage([trainingData], async ({ workspace, monitoring, log }) => {
      const prices = (seed: number) => {
        const random = seededRandom(seed);
        return Array.from({ length: 500 }, () => 0.1 + Math.floor(random() * 4) / 10);
      };
      writeFileSync(join(workspace, 'train.csv'), `price\n${prices(1).join('\n')}\n`);
      log([{ receivedAt: 1, inputs: { price: prices(2).map(Math.fround) } }]);
      const report = await monitoring.drift({ endpoint: 'wine', referenceFile: null, ...ever }, unwatched);
      assert.ok(columnOf(report, 'price').test.statistic < 0.1);
    });
  });

  it('takes tensors apart', async () => {
    await onStage([trainingData], async ({ workspace, monitoring, log }) => {
      writeFileSync(join(workspace, 'train.csv'), 'x,y[0],y[1]\n1,2,3\n1,2,3\n');
      log([
        {
          receivedAt: 1,
          inputs: {
            x: [[1], [2]],
            y: [
              [2, 3],
              [4, 5],
            ],
            z: [1, 2],
          },
        },
      ]);
      const report = await monitoring.drift({ endpoint: 'wine', referenceFile: null, ...ever }, unwatched);
      assert.deepEqual(report.columns.map(({ name, counts }) => [name, counts.current]).sort(), [
        ['x', 2],
        ['y[0]', 2],
        ['y[1]', 2],
      ]);
      assert.deepEqual(report.currentOnly, ['z']);
    });
  });

  it('reads a log that is being written', async () => {
    await onStage([trainingData], async ({ workspace, layout, monitoring }) => {
      writeFileSync(join(workspace, 'train.csv'), csvOf(tableRows(1, false)));
      const log = writeInferenceLog(
        inferenceLogFile(layout, 'wine'),
        requestsOf(tableRows(2, false), inputNames),
      );
      try {
        log.exec('BEGIN IMMEDIATE; DELETE FROM requests');
        const report = await monitoring.drift({ endpoint: 'wine', referenceFile: null, ...ever }, unwatched);
        assert.equal(report.currentRows, 600);
      } finally {
        log.close();
      }
    });
  });

  it('names what is wrong', async () => {
    await onStage([], async ({ workspace, monitoring, log }) => {
      const file = join(workspace, 'train.csv');
      const drift = (referenceFile: string | null) =>
        monitoring.drift({ endpoint: 'wine', referenceFile, ...ever }, unwatched);
      await assert.rejects(drift(null), ofKind('noReferenceData'));
      await assert.rejects(drift('train.csv'), ofKind('invalidParameter'));
      await assert.rejects(drift(file), ofKind('noLoggedRequests'));
      log([{ receivedAt: 1, inputs: { alcohol: [1] } }]);
      await assert.rejects(drift(file), ofKind('dataUnreadable'));
      await assert.rejects(drift(workspace), ofKind('dataUnreadable'));
      writeFileSync(join(workspace, 'broken.parquet'), 'PAR1 no');
      await assert.rejects(drift(join(workspace, 'broken.parquet')), ofKind('dataUnreadable'));
      writeFileSync(file, 'height,width\n1,2\n');
      await assert.rejects(drift(file), ofKind('noSharedColumns'));
    });
  });

  it('finds what the census data is known for', async function () {
    if (!existsSync(censusFile('reference'))) this.skip();
    await onStage([], async ({ monitoring, log }) => {
      const instance = await DuckDBInstance.create();
      const connection = await instance.connect();
      const rows = await connection.runAndReadAll(
        `SELECT AGEP::DOUBLE, SCHL::VARCHAR, MAR::VARCHAR, SEX::VARCHAR FROM read_parquet('${censusFile('reference')}') USING SAMPLE 3000 ROWS (reservoir, 7)`,
      );
      instance.closeSync();
      const [AGEP, SCHL, MAR, SEX] = rows.getColumnsJS();
      assert.ok(AGEP && SCHL && MAR && SEX);
      const older = AGEP.map((age) => Number(age) + 10);
      log([{ receivedAt: 1, inputs: { AGEP: older, SCHL, MAR, SEX: SEX.map(() => '1') } }]);
      const report = await monitoring.drift(
        { endpoint: 'wine', referenceFile: censusFile('reference'), ...ever },
        unwatched,
      );
      assert.equal(report.referenceRows, 68_785);
      assert.deepEqual(
        report.columns.map(({ name, drifted }) => [name, drifted]),
        [['SEX', true], ['AGEP', true], ...report.columns.slice(2).map(({ name }) => [name, false])],
      );
    });
  });
});

describe('worker process', () => {
  const longJob = async (stage: Stage): Promise<string> => {
    const file = join(stage.workspace, 'train.csv');
    writeFileSync(file, csvOf(tableRows(1, false)));
    stage.log(Array.from({ length: 40 }, () => requestsOf(tableRows(2, false), inputNames)).flat());
    return file;
  };
  const childProcesses = async () => {
    // Node lets go of a process at the end of the turn in which it told of its end.
    await setImmediate();
    await setImmediate();
    return process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;
  };

  it('is gone when its request was cancelled', async () => {
    await onStage([], async (stage) => {
      const referenceFile = await longJob(stage);
      const before = await childProcesses();
      const abort = new AbortController();
      await assert.rejects(
        stage.monitoring.drift(
          { endpoint: 'wine', referenceFile, ...ever },
          { signal: abort.signal, progress: () => abort.abort() },
        ),
        ofKind('cancelled'),
      );
      assert.equal(await childProcesses(), before);
      await assert.rejects(
        stage.monitoring.drift(
          { endpoint: 'wine', referenceFile, ...ever },
          { ...unwatched, signal: abort.signal },
        ),
        ofKind('cancelled'),
      );
    });
  });

  it('is gone when the service was closed', async () => {
    await onStage([], async (stage) => {
      const referenceFile = await longJob(stage);
      const before = await childProcesses();
      const started = Promise.withResolvers<void>();
      const report = stage.monitoring.drift(
        { endpoint: 'wine', referenceFile, ...ever },
        { ...unwatched, progress: () => started.resolve() },
      );
      const rejected = assert.rejects(report, ofKind('cancelled'));
      await started.promise;
      await stage.monitoring.close();
      assert.equal(await childProcesses(), before);
      await rejected;
    });
  });

  it('is gone when its result is there', async () => {
    await onStage([], async (stage) => {
      const referenceFile = await longJob(stage);
      const before = await childProcesses();
      await stage.monitoring.drift({ endpoint: 'wine', referenceFile, ...ever }, unwatched);
      assert.equal(await childProcesses(), before);
    });
  });

  it('ends when its parent was killed', async () => {
    // The worker inherits the pipe, which therefore ends only when both are gone.
    const parent = spawn(
      process.execPath,
      [
        '-e',
        `const { fork } = require('node:child_process');
         fork(process.argv[1], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }).on('spawn', () => console.log('on'));`,
        workerScript,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(parent.stdout, 'data');
    parent.kill('SIGKILL');
    await once(parent.stdout, 'close');
  });

  it('that dies is an error, and so is one that cannot start', async () => {
    await inTemporaryFolder(async (folder) => {
      const crashing = join(folder, 'worker.cjs');
      writeFileSync(crashing, `process.once('message', () => process.exit(7));`);
      for (const script of [crashing, join(folder, 'none.cjs')]) {
        const layout = storeLayout(folder);
        const told: string[] = [];
        const changes = createChanges();
        changes.listen((event, data) => told.push(`${event} ${JSON.stringify(data)}`));
        const monitoring = createMonitoringService({
          serving: { endpoint: endpointNamed },
          registry: { version: versionOf },
          tracking: { runDatasets: () => [] },
          layout,
          changes,
          workspace: folder,
          script,
        });
        await assert.rejects(
          monitoring.drift({ endpoint: 'wine', referenceFile: join(folder, 'a.csv'), ...ever }, unwatched),
          ofKind('internal'),
        );
        assert.equal(told.length, 1);
      }
    });
  });
});
