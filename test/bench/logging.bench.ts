import { join } from 'node:path';
import { type Database, openDatabase } from '../../src/engine/database/connection.ts';
import { createTrackingStore } from '../../src/engine/tracking/store.ts';
import type { Metric } from '../../src/engine/tracking/types.ts';
import { inTemporaryFolder, startHeadless } from '../engine/headless.ts';
import { startMlflowServer } from '../interop/mlflowServer.ts';
import { median } from './median.ts';
import { pythonClientRates } from './pythonClient.ts';
import { createRawClient, createRun, type RawClient } from './rawClient.ts';

const pointsPerBatch = 1000;
const rounds = 5;

/** How much is done in a round: MLflow's server gets less, or it would take an hour. */
interface Load {
  readonly batches: number;
  readonly metrics: number;
  readonly runs: number;
}

const slipwayLoad: Load = { batches: 300, metrics: 1500, runs: 500 };
const mlflowLoad: Load = { batches: 6, metrics: 30, runs: 15 };

/** Calls per second of what a training script does. */
interface Rates {
  readonly batches: number;
  readonly batchesOfFour: number;
  readonly batchesOfKeys: number;
  readonly metrics: number;
  readonly metricsOfFour: number;
  readonly runs: number;
}

/**
 * How fast runs are logged: by Slipway, by MLflow's own server with its SQLite store (four workers, as it starts by
 * itself), and by SQLite alone in one process without HTTP or JSON, the floor. Both servers are asked by the same bare
 * client over connections that stay open; what a Python script sees beside that is printed at the end.
 */
export async function run(): Promise<void> {
  const python = process.env.SLIPWAY_TEST_PYTHON;
  await inTemporaryFolder(async (folder) => {
    const slipway = await startHeadless(folder, ['--no-token']);
    const mlflow = python ? await startMlflowServer(python, 120_000, 4) : null;
    try {
      await ratesOf(slipway.url, { batches: 30, metrics: 100, runs: 50 });
      if (mlflow) await ratesOf(mlflow.url, { batches: 2, metrics: 8, runs: 4 });
      const own: Rates[] = [];
      const theirs: Rates[] = [];
      const floors: Floor[] = [];
      for (let round = 0; round < rounds; round += 1) {
        floors.push(floorIn(join(folder, `floor-${round}.db`)));
        own.push(await ratesOf(slipway.url, slipwayLoad));
        if (mlflow) theirs.push(await ratesOf(mlflow.url, mlflowLoad));
      }
      report(own, theirs, floors);
      if (python && mlflow) {
        reportPython(python, slipway.url, mlflow.url);
      }
    } finally {
      mlflow?.close();
      await slipway.stop();
    }
  });
}

function report(own: readonly Rates[], theirs: readonly Rates[], floors: readonly Floor[]): void {
  const rows: readonly (readonly [keyof Rates, string, number])[] = [
    ['batches', 'log_batch of 1,000 points, 1 client', pointsPerBatch],
    ['batchesOfFour', 'log_batch of 1,000 points, 4 clients', pointsPerBatch],
    ['batchesOfKeys', 'log_batch of 1,000 metrics, 1 client', pointsPerBatch],
    ['metrics', 'log_metric, 1 client', 1],
    ['metricsOfFour', 'log_metric, 4 clients', 1],
    ['runs', 'create and end a run', 1],
  ];
  const of = (rates: readonly Rates[], name: keyof Rates) => median(rates.map((rate) => rate[name]));
  for (const [name, title, points] of rows) {
    const [slipway, mlflow] = [of(own, name), of(theirs, name)];
    const unit = points > 1 ? 'points/s' : 'calls/s';
    console.log(
      `  ${title.padEnd(38)} Slipway ${rate(slipway * points)} ${unit}, MLflow ${rate(mlflow * points)}: ${(slipway / mlflow).toFixed(0)} times`,
    );
  }
  const [row, wide] = (['byRow', 'wide'] as const).map((name) => median(floors.map((floor) => floor[name])));
  const batches = of(own, 'batches');
  const four = of(own, 'batchesOfFour');
  for (const [title, floor = Number.NaN] of [
    ['SQLite alone, one INSERT a point', row],
    ['SQLite alone, as Slipway writes', wide],
  ] as const) {
    console.log(
      `  ${title.padEnd(38)} floor ${rate(floor * pointsPerBatch)} points/s: Slipway reaches ${share(batches / floor)} of it with 1 client, ${share(four / floor)} with 4`,
    );
  }
}

function reportPython(python: string, slipway: string, mlflow: string): void {
  const own = pythonClientRates(python, slipway);
  const theirs = pythonClientRates(python, mlflow);
  for (const [name, title] of [
    ['batches', 'log_batch of 1,000 points'],
    ['metrics', 'log_metric'],
    ['runs', 'create and end a run'],
  ] as const) {
    console.log(
      `  ${`Python: ${title}`.padEnd(38)} Slipway ${rate(own[name])} calls/s, MLflow ${rate(theirs[name])}: ${(own[name] / theirs[name]).toFixed(0)} times`,
    );
  }
}

async function ratesOf(url: string, load: Load): Promise<Rates> {
  const clients = Array.from({ length: 4 }, () => createRawClient(url));
  const [first] = clients;
  if (!first) throw new Error('There is no client.');
  try {
    return {
      batches: await rateOf([first], load.batches, batchOfPoints, '/runs/log-batch'),
      batchesOfFour: await rateOf(clients, load.batches, batchOfPoints, '/runs/log-batch'),
      batchesOfKeys: await rateOf([first], Math.ceil(load.batches / 3), batchOfKeys, '/runs/log-batch'),
      metrics: await rateOf([first], load.metrics, singleMetric, '/runs/log-metric'),
      metricsOfFour: await rateOf(clients, load.metrics, singleMetric, '/runs/log-metric'),
      runs: await runRate(first, load.runs),
    };
  } finally {
    for (const client of clients) client.close();
  }
}

/** Calls per second of clients that share `count` calls, each client with a run of its own. The bodies are made before. */
async function rateOf(
  clients: readonly RawClient[],
  count: number,
  bodyOf: (runId: string, place: number) => string,
  path: string,
): Promise<number> {
  const share = Math.ceil(count / clients.length);
  const work = await Promise.all(
    clients.map(async (client) => {
      const runId = await createRun(client);
      return { client, bodies: Array.from({ length: share }, (_, place) => bodyOf(runId, place)) };
    }),
  );
  const start = performance.now();
  await Promise.all(
    work.map(async ({ client, bodies }) => {
      for (const body of bodies) await client.post(path, body);
    }),
  );
  return (1000 * share * clients.length) / (performance.now() - start);
}

async function runRate(client: RawClient, count: number): Promise<number> {
  const start = performance.now();
  for (let run = 0; run < count; run += 1) {
    const runId = await createRun(client);
    await client.post(
      '/runs/update',
      JSON.stringify({ run_id: runId, status: 'FINISHED', end_time: Date.now() }),
    );
  }
  return (1000 * count) / (performance.now() - start);
}

function pointAt(place: number): Metric {
  return { key: 'loss', value: Math.sin(place), timestamp: 1_700_000_000_000 + place * 20, step: place };
}

function pointsOf(batch: number): readonly Metric[] {
  return Array.from({ length: pointsPerBatch }, (_, index) => pointAt(batch * pointsPerBatch + index));
}

function batchOfPoints(runId: string, batch: number): string {
  return JSON.stringify({ run_id: runId, metrics: pointsOf(batch) });
}

function batchOfKeys(runId: string, batch: number): string {
  const metrics = Array.from({ length: pointsPerBatch }, (_, index) => ({
    ...pointAt(batch),
    key: `layer_${index}/gradient`,
  }));
  return JSON.stringify({ run_id: runId, metrics });
}

function singleMetric(runId: string, place: number): string {
  return JSON.stringify({ run_id: runId, ...pointAt(place) });
}

/** Batches per second that SQLite takes in this process, over the same schema and settings, one transaction each. */
interface Floor {
  /** Each point by a prepared INSERT of its own. */
  readonly byRow: number;
  /** By the engine's own store, which writes many points with a statement. */
  readonly wide: number;
}

function floorIn(file: string): Floor {
  const database = openDatabase(file);
  try {
    const store = createTrackingStore(database);
    const runs = ['a', 'b'].map((id) =>
      store.runs.insert({
        runId: id.repeat(32),
        experimentId: '0',
        name: id,
        userId: '',
        status: 'RUNNING',
        startTime: 1,
        artifactUri: '',
      }),
    );
    const [first = 0, second = 0] = runs;
    store.metrics.add(first, [pointAt(-1)]);
    const insert = database.prepare<[number, number, number], never>(
      `INSERT INTO metric_points (series_id, step, timestamp, value, is_nan) VALUES (1, ?, ?, ?, 0)
       ON CONFLICT DO NOTHING`,
    );
    const update = database.prepare<[number, number, number], never>(
      `UPDATE metric_series SET latest_step = ?, latest_timestamp = ?, latest_value = ?,
         point_count = point_count + ${pointsPerBatch} WHERE id = 1`,
    );
    const byRow = (points: readonly Metric[]) => {
      for (const { step, timestamp, value } of points) insert.run(Number(step), Number(timestamp), value);
      const last = points.at(-1);
      if (last) update.run(Number(last.step), Number(last.timestamp), last.value);
    };
    return {
      byRow: floorRate(database, byRow),
      wide: floorRate(database, (points) => store.metrics.add(second, points)),
    };
  } finally {
    database.close();
  }
}

/**
 * Batches per second, over as many batches as Slipway gets; the points are made before. All that is written is merged
 * into the file in that time, as with Slipway, whose log goes over from one measurement to the next.
 */
function floorRate(database: Database, write: (points: readonly Metric[]) => void): number {
  const batches = Array.from({ length: slipwayLoad.batches }, (_, batch) => pointsOf(batch));
  const start = performance.now();
  for (const batch of batches) database.transaction(() => write(batch));
  database.mergeLog();
  return (1000 * batches.length) / (performance.now() - start);
}

function rate(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en').padStart(9);
}

function share(part: number): string {
  return `${(100 * part).toFixed(0)}%`;
}
