import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { ScoreReport } from '../../src/protocol/scoring.ts';
import type { WorkerJobOf, WorkerMessage } from '../../src/protocol/worker.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { median } from './median.ts';
import { residentMegabytes } from './residentMemory.ts';

const rounds = 3;
const columnCount = 20;
const columns = Array.from({ length: columnCount }, (_, index) => `c${index}`);
const sizes = [250_000, 1_000_000, 4_000_000];
const root = join(import.meta.dirname, '../..');

const makeModel = `
import sys, numpy as np
from sklearn.neural_network import MLPRegressor
from skl2onnx import to_onnx
rng = np.random.default_rng(1)
x = rng.normal(size=(2000, ${columnCount})).astype(np.float32)
model = MLPRegressor(hidden_layer_sizes=(32,), max_iter=50, random_state=1).fit(x, x[:, 0] * x[:, 1])
open(sys.argv[1], "wb").write(to_onnx(model, x[:1]).SerializeToString())
`;

/**
 * Scores Parquet files of growing length with a small neural network, so that reading and writing count: rows a
 * second, also as a multiple of what onnxruntime and pyarrow do in Python with the same files, and the largest memory,
 * which must not grow with the file. Rounds alternate between the two; figures are medians.
 */
export async function run(): Promise<void> {
  const python = process.env.SLIPWAY_TEST_PYTHON;
  if (!python) {
    console.log('Needs a Python with peers.');
    return;
  }
  const folder = await temporaryFolder();
  try {
    const model = join(folder, 'model.onnx');
    execFileSync(python, ['-c', makeModel, model]);
    for (const rows of sizes) {
      const input = join(folder, `${rows}.parquet`);
      await writeRows(input, rows);
      const ours: Figures[] = [];
      const theirs: Figures[] = [];
      for (let round = 0; round < rounds; round++) {
        ours.push(await scoreHere(model, input, join(folder, 'ours.parquet')));
        theirs.push(scoreInPython(python, model, input, join(folder, 'theirs.parquet')));
      }
      const megabytes = statSync(input).size / 1e6;
      const ratio = median(
        ours.map(({ seconds }, round) => seconds / (theirs[round]?.seconds ?? Number.NaN)),
      );
      const rate = (figures: readonly Figures[]) =>
        Math.round(rows / median(figures.map(({ seconds }) => seconds))).toLocaleString('en');
      const memory = (figures: readonly Figures[]) => median(figures.map((one) => one.megabytes)).toFixed(0);
      console.log(
        [
          `${rows.toLocaleString('en')} rows × ${columnCount}, ${megabytes.toFixed(0)} MB:`,
          `${rate(ours)} rows/s, at most ${memory(ours)} MB;`,
          `Python ${rate(theirs)} rows/s, at most ${memory(theirs)} MB;`,
          `${ratio.toFixed(2)} × the time of Python`,
        ].join(' '),
      );
      rmSync(input);
    }
  } finally {
    await removeFolder(folder);
  }
}

interface Figures {
  readonly seconds: number;
  /** The largest memory of the process. */
  readonly megabytes: number;
}

async function writeRows(file: string, rows: number): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const values = columns.map((name) => `(random() * 6 - 3)::FLOAT AS ${name}`).join(', ');
  await connection.run(
    `COPY (SELECT i AS id, ${values} FROM range(${rows}) t(i)) TO '${file}' (FORMAT parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
}

/** In a worker process of its own, as the engine does. */
async function scoreHere(model: string, input: string, output: string): Promise<Figures> {
  const worker = fork(join(root, 'dist/worker.cjs'), { serialization: 'advanced', execArgv: [] });
  let report: ScoreReport | null = null;
  let megabytes = 0;
  worker.on('message', (message: WorkerMessage) => {
    if (message.type === 'failed') throw new Error(JSON.stringify(message.error));
    // Progress comes a few times a second.
    if (message.type === 'progress') megabytes = Math.max(megabytes, residentMegabytes(worker.pid));
    if (message.type !== 'done') return;
    report = message.result as ScoreReport;
    megabytes = Math.max(megabytes, residentMegabytes(worker.pid));
    worker.disconnect();
  });
  const job: WorkerJobOf<'score'> = {
    ...{ type: 'score', input, output, inputFormat: null, outputFormat: null },
    ...{ onlyPredictions: false, restart: false, force: true, keepMilliseconds: 5_000 },
    model: { name: 'network', version: 1, source: { type: 'onnx', file: model }, columns, labels: [] },
  };
  worker.send(job);
  await once(worker, 'exit');
  const seconds = (report as ScoreReport | null)?.milliseconds;
  if (seconds === undefined) throw new Error('The worker gave no report.');
  return { seconds: seconds / 1000, megabytes };
}

function scoreInPython(python: string, model: string, input: string, output: string): Figures {
  const script = join(root, 'test/fixtures/python/score_peer.py');
  const answer = execFileSync(python, [script, model, input, output, columns.join(',')], {
    encoding: 'utf8',
  });
  const [seconds = Number.NaN, megabytes = Number.NaN] = answer.trim().split(' ').map(Number);
  return { seconds, megabytes };
}
