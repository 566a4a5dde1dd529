import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import BetterSqlite3 from 'better-sqlite3';
import { inferenceLogFile } from '../../src/engine/layout.ts';
import type { ColumnDrift, DriftReport } from '../../src/protocol/monitoring.ts';
import { errorOfKind } from '../errorOfKind.ts';
import { seededRandom } from '../unit/statistics/sequences.ts';
import { requestsOf, writeInferenceLog } from './inferenceLog.ts';
import { ever, onStage, trainingData, unwatched } from './monitoringStage.ts';
import { csvOf, inputNames, tableRows } from './wineTable.ts';

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
    await onStage([], async ({ workspace, compare, log }) => {
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
      const reports = await Promise.all([csv, parquet, odd].map((file) => compare(file)));
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
        errorOfKind('noLoggedRequests'),
      );
    });
  });

  it('counts what is missing, infinite or no number', async () => {
    await onStage([trainingData], async ({ workspace, compare, log }) => {
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
      const report = await compare();
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
    await onStage([trainingData], async ({ workspace, compare, log }) => {
      writeFileSync(join(workspace, 'train.csv'), csvOf(tableRows(1, false)));
      log(
        requestsOf(
          tableRows(2, false).map((row) => ({ ...row, alcohol: null })),
          inputNames,
        ),
      );
      const report = await compare();
      assert.equal(report.columns[0]?.name, 'alcohol');
      assert.deepEqual(report.columns[0].driftedIn, ['missing']);
    });
  });

  it('does not take single precision for drift', async () => {
    await onStage([trainingData], async ({ workspace, compare, log }) => {
      const prices = (seed: number) => {
        const random = seededRandom(seed);
        return Array.from({ length: 500 }, () => 0.1 + Math.floor(random() * 4) / 10);
      };
      writeFileSync(join(workspace, 'train.csv'), `price\n${prices(1).join('\n')}\n`);
      log([{ receivedAt: 1, inputs: { price: prices(2).map(Math.fround) } }]);
      const report = await compare();
      assert.ok(columnOf(report, 'price').test.statistic < 0.1);
    });
  });

  it('takes tensors apart', async () => {
    await onStage([trainingData], async ({ workspace, compare, log }) => {
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
      const report = await compare();
      assert.deepEqual(report.columns.map(({ name, counts }) => [name, counts.current]).sort(), [
        ['x', 2],
        ['y[0]', 2],
        ['y[1]', 2],
      ]);
      assert.deepEqual(report.currentOnly, ['z']);
    });
  });

  it('reads a log that is being written', async () => {
    await onStage([trainingData], async ({ workspace, layout, compare }) => {
      writeFileSync(join(workspace, 'train.csv'), csvOf(tableRows(1, false)));
      const file = inferenceLogFile(layout, 'wine');
      writeInferenceLog(file, requestsOf(tableRows(2, false), inputNames));
      const log = new BetterSqlite3(file);
      try {
        log.exec('BEGIN IMMEDIATE; DELETE FROM blocks');
        const report = await compare();
        assert.equal(report.currentRows, 600);
      } finally {
        log.close();
      }
    });
  });

  it('names what is wrong', async () => {
    await onStage([], async ({ workspace, compare, log }) => {
      const file = join(workspace, 'train.csv');
      await assert.rejects(compare(), errorOfKind('noReferenceData'));
      await assert.rejects(compare('train.csv'), errorOfKind('invalidParameter'));
      await assert.rejects(compare(file), errorOfKind('noLoggedRequests'));
      log([{ receivedAt: 1, inputs: { alcohol: [1] } }]);
      await assert.rejects(compare(file), errorOfKind('dataUnreadable'));
      await assert.rejects(compare(workspace), errorOfKind('dataUnreadable'));
      writeFileSync(join(workspace, 'broken.parquet'), 'PAR1 no');
      await assert.rejects(compare(join(workspace, 'broken.parquet')), errorOfKind('dataUnreadable'));
      writeFileSync(file, 'height,width\n1,2\n');
      await assert.rejects(compare(file), errorOfKind('noSharedColumns'));
    });
  });
});

function columnOf(report: DriftReport, name: string): ColumnDrift {
  const found = report.columns.find((column) => column.name === name);
  assert.ok(found, `no column ${name}`);
  return found;
}
