import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { createInferenceLogReader } from '../../src/protocol/inferenceLogReader.ts';
import { startFleet } from '../../src/supervision/scorerFleet.ts';
import type { DoorlessOptions } from '../../src/supervision/scorerProcess.ts';
import { inTemporaryFolder } from '../engine/headless.ts';
import { startLoadGenerator } from './serving/load.ts';
import { residentBytes } from './serving/processorTime.ts';

const requests = Number(process.env.SLIPWAY_SOAK_REQUESTS ?? 10_000_000);
const parts = 20;
const connections = 32;
const columns = 20;
/** Small enough to be reached many times over. */
const keepBytes = 256 * 1024 * 1024;

/**
 * A scorer that answers ten million requests (or as many as SLIPWAY_SOAK_REQUESTS says) with its inference log and the
 * log's retention on. Its memory may not grow after the first fifth, and every answer must have been a row of the log:
 * ids go up by one with each row, so the last id tells how many there were, those that retention deleted too.
 */
export async function run(): Promise<void> {
  const python = process.env.SLIPWAY_TEST_PYTHON ?? process.env.SLIPWAY_TEST_PYTHON_SERVING;
  if (!python) {
    console.log('  There is no Python to build the model with.');
    return;
  }
  await inTemporaryFolder(async (folder) => {
    execFileSync(python, [join(import.meta.dirname, '../fixtures/python/serving_models.py'), folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await soak(folder);
  });
}

async function soak(folder: string): Promise<void> {
  const log = join(folder, 'log.db');
  const scorer: DoorlessOptions = {
    endpoint: 'soak',
    models: [{ name: 'mlp', version: 1, source: { type: 'onnx', file: join(folder, 'mlp.onnx') } }],
    host: '127.0.0.1',
    token: null,
    inferenceLog: { file: log, keepBytes },
  };
  const warnings: string[] = [];
  const fleet = await startFleet({
    script: join(import.meta.dirname, '../../dist/scorer.cjs'),
    scorer,
    port: 0,
    processes: 1,
    log: (message) => warnings.push(message),
  });
  const generator = startLoadGenerator();
  const body = JSON.stringify({
    inputs: [
      {
        name: 'x',
        datatype: 'FP32',
        shape: [1, columns],
        data: Array.from({ length: columns }, (_, index) => Math.round(1e6 * Math.sin(index)) / 1e6),
      },
    ],
  });
  let answers = 0;
  const memory: number[] = [];
  const [processId = 0] = fleet.processIds();
  try {
    for (let part = 0; part < parts; part += 1) {
      const result = await generator.run({
        host: '127.0.0.1',
        port: fleet.port,
        path: '/v2/models/mlp/infer',
        headers: {},
        body,
        connections,
        seconds: Number.MAX_SAFE_INTEGER,
        count: Math.ceil(requests / parts),
      });
      answers += result.answers;
      memory.push(residentBytes(processId));
      console.log(
        `  ${String(answers).padStart(9)} answers, ${result.rate.toFixed(0)} a second, 99th percentile ` +
          `${(result.p99 / 1000).toFixed(1)} ms, ${megabytes(memory.at(-1))} of memory, log ${megabytes(statSync(log).size)}`,
      );
    }
  } finally {
    generator.close();
    await fleet.drain();
  }
  const database = new BetterSqlite3(log, { readonly: true });
  const [first, last, kept] = database
    .prepare('SELECT min(id), max(id + request_count) - 1, sum(request_count) FROM blocks')
    .raw()
    .get() as [number, number, number];
  let bad = 0;
  for (const { status } of createInferenceLogReader(database).oldestFirst({})) if (status !== 200) bad += 1;
  database.close();
  const [warm = Number.NaN] = memory.slice(parts / 5);
  const growth = (memory.at(-1) ?? Number.NaN) - warm;
  console.log(`  rows of the log: ${last} for ${answers} answers, ${answers - last} lost`);
  console.log(
    `  ${kept} of them kept, from ${first}; without a gap: ${kept === last - first + 1}; not 200: ${bad}`,
  );
  console.log(`  memory grew by ${megabytes(growth)} after the first fifth, from ${megabytes(warm)}`);
  for (const warning of new Set(warnings)) console.log(`  ${warning}`);
  if (last !== answers) throw new Error('Rows of the log were lost.');
}

function megabytes(bytes = Number.NaN): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
