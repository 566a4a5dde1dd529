import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { at, listAt, textAt } from '../engine/answers.ts';
import { type HeadlessEngine, inTemporaryFolder, startHeadless } from '../engine/headless.ts';
import { startMlflowServer } from '../interop/mlflowServer.ts';
import { experimentId, fillMlflowStore, fillSlipwayStore } from './manyRuns.ts';
import { median } from './median.ts';
import { residentMegabytes } from './residentMemory.ts';

/** How many runs the stores have; `SLIPWAY_BENCH_RUNS=1000,10000` asks for others. */
const sizes = (process.env.SLIPWAY_BENCH_RUNS ?? '1000,10000,100000').split(',').map(Number);
const rounds = 25;
/** MLflow takes seconds for some of the requests. */
const millisecondsForPeer = 10_000;
const leastRoundsOfPeer = 3;
/** A request that MLflow has not answered by then is given up. */
const longestOfPeer = 60_000;

interface Asked {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const search = (name: string, fields: Readonly<Record<string, unknown>>): Asked => ({
  name,
  fields: { experiment_ids: [experimentId], max_results: 100, ...fields },
});

/** Each run has 10 metrics, 10 parameters and 6 tags. The filter on metric_3 leaves a tenth of the runs, or a thousandth. */
const requests: readonly Asked[] = [
  search('metric filter, by that metric', {
    filter: 'metrics.metric_3 > 0.9',
    order_by: ['metrics.metric_3 DESC'],
  }),
  search('metric filter, by another metric', {
    filter: 'metrics.metric_3 > 0.9',
    order_by: ['metrics.metric_5 ASC'],
  }),
  search('metric filter, newest first', { filter: 'metrics.metric_3 > 0.9' }),
  search('narrow metric filter, by another metric', {
    filter: 'metrics.metric_3 > 0.999',
    order_by: ['metrics.metric_5 DESC'],
  }),
  search('metric and parameter filter, by a metric', {
    filter: "metrics.metric_3 > 0.9 AND params.param_0 = 'adam'",
    order_by: ['metrics.metric_5 DESC'],
  }),
  search('metric filter, by a parameter', {
    filter: 'metrics.metric_3 > 0.9',
    order_by: ['params.param_1 ASC'],
  }),
  search('text filter that few runs meet', { filter: "params.param_3 LIKE '%2345%'" }),
  search('text filter that many runs meet', { filter: "tags.tag_0 LIKE '%eam 1%'" }),
  search('no filter, by a metric', { order_by: ['metrics.metric_5 DESC'] }),
  search('no filter, by a parameter', { order_by: ['params.param_1 ASC'] }),
  search('1,000 runs, newest first', { max_results: 1000 }),
  search('1,000 runs, metric filter, by another metric', {
    filter: 'metrics.metric_3 > 0.9',
    order_by: ['metrics.metric_5 DESC'],
    max_results: 1000,
  }),
];

interface Figures {
  readonly slipway: number;
  readonly mlflow: number;
}

/**
 * `runs/search` over stores of several sizes, beside `mlflow server` on the same runs. Both answer the same requests,
 * with the same runs in the same order, one after the other; each figure is the median of what one client waits.
 */
export async function run(): Promise<void> {
  const table = new Map<string, Figures[]>();
  const memory: string[] = [];
  for (const size of sizes) {
    await inTemporaryFolder(async (folder) => {
      console.log(`  ${size.toLocaleString('en')} runs`);
      const { found, deepPage } = await withSlipway(folder, size, async (engine) => {
        const atRest = residentMegabytes(engine.process.pid);
        const figures = await measure(callTo(engine.url, engine.token));
        const deep = await measureDeepPage(engine, size);
        const after = residentMegabytes(engine.process.pid);
        memory.push(
          `    ${size.toLocaleString('en')} runs: ${atRest.toFixed(0)} MB before the first search, ${after.toFixed(0)} MB after all`,
        );
        return { found: figures, deepPage: deep };
      });
      const peer = await measureMlflow(folder, size);
      for (const { name } of requests) {
        const [slipway, mlflow] = [found.get(name), peer?.get(name)];
        assert.ok(slipway);
        if (mlflow?.runIds) assert.deepEqual(mlflow.runIds, slipway.runIds, `${name}: both find the same`);
        const pair = { slipway: slipway.median, mlflow: mlflow?.median ?? Number.NaN };
        table.set(name, [...(table.get(name) ?? []), pair]);
        const more = mlflow?.runIds === null ? 'more than ' : '';
        const beside = mlflow
          ? `, mlflow server ${more}${shown(pair.mlflow)} ms: ${more}${(pair.mlflow / pair.slipway).toFixed(0)} times`
          : ', and no mlflow server';
        console.log(`    ${name}: ${shown(pair.slipway)} ms${beside}`);
      }
      console.log(`    1,000 runs from the middle of all pages: ${shown(deepPage)} ms`);
    });
  }
  printGrowth(table);
  console.log('  Memory of the engine');
  for (const line of memory) console.log(line);
}

/** Asks, and gives the text of the answer once all of it has come. */
type Call = (fields: object, signal?: AbortSignal) => Promise<string>;

interface Measured {
  readonly median: number;
  /** Null when no answer came as long as was waited. */
  readonly runIds: readonly string[] | null;
}

async function measure(call: Call): Promise<ReadonlyMap<string, Measured>> {
  const figures = new Map<string, Measured>();
  for (const request of requests) figures.set(request.name, await measureRequest(call, request));
  return figures;
}

async function measureRequest(
  call: Call,
  { fields }: Asked,
  patience = Number.POSITIVE_INFINITY,
): Promise<Measured> {
  // The first warms up, and tells what is found. When it takes longer than there is patience, it is the figure.
  const first = performance.now();
  const runIds = listAt(JSON.parse(await call(fields)), 'runs').map((found) => textAt(found, 'info.run_id'));
  const warmUp = performance.now() - first;
  if (warmUp > patience) return { median: warmUp, runIds };
  const times: number[] = [];
  const end = performance.now() + patience;
  while (times.length < rounds && (times.length < leastRoundsOfPeer || performance.now() < end)) {
    const start = performance.now();
    await call(fields);
    times.push(performance.now() - start);
  }
  return { median: median(times), runIds };
}

/** What a page of 1,000 runs from the middle of a search takes, which is read from its beginning to there. */
async function measureDeepPage(engine: HeadlessEngine, size: number): Promise<number> {
  const fields = { experiment_ids: [experimentId], max_results: 1000, order_by: ['metrics.metric_5 DESC'] };
  const call = callTo(engine.url, engine.token);
  let token = '';
  for (let page = 0; page < size / 2000; page += 1) {
    const answer: unknown = JSON.parse(await call({ ...fields, page_token: token }));
    token = String(at(answer, 'next_page_token') ?? '');
  }
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await call({ ...fields, page_token: token });
    times.push(performance.now() - start);
  }
  return median(times);
}

function callTo(url: string, token: string | null): Call {
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  return async (fields, signal) => {
    const response = await fetch(new URL('/api/2.0/mlflow/runs/search', url), {
      method: 'POST',
      headers: { ...authorization, 'content-type': 'application/json' },
      body: JSON.stringify(fields),
      ...(signal && { signal }),
    });
    assert.equal(response.status, 200);
    return response.text();
  };
}

async function withSlipway<Result>(
  folder: string,
  size: number,
  work: (engine: HeadlessEngine) => Promise<Result>,
): Promise<Result> {
  mkdirSync(join(folder, '.slipway'));
  fillSlipwayStore(join(folder, '.slipway', 'store.db'), size);
  const engine = await startHeadless(folder);
  try {
    return await work(engine);
  } finally {
    await engine.stop();
  }
}

/** Null where there is no Python with MLflow. */
async function measureMlflow(folder: string, size: number): Promise<ReadonlyMap<string, Measured> | null> {
  const python = process.env.SLIPWAY_TEST_PYTHON;
  if (!python) return null;
  const makeStore =
    'import sys; from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore; SqlAlchemyStore(sys.argv[1], sys.argv[2])';
  const file = join(folder, 'mlflow.db');
  execFileSync(python, ['-c', makeStore, `sqlite:///${file}`, join(folder, 'artifacts')], {
    stdio: 'ignore',
  });
  fillMlflowStore(file, size);
  const figures = new Map<string, Measured>();
  while (figures.size < requests.length) {
    const server = await startMlflowServer(python, 120_000, 4, folder);
    try {
      await measureAsLongAsItAnswers(server.url, figures);
    } finally {
      server.close();
    }
  }
  return figures;
}

/** Stops after a request that was given up: the server goes on with it, so another has to take its place. */
async function measureAsLongAsItAnswers(url: string, figures: Map<string, Measured>): Promise<void> {
  const ask = callTo(url, null);
  const call: Call = (fields) => ask(fields, AbortSignal.timeout(longestOfPeer));
  for (const request of requests.filter(({ name }) => !figures.has(name))) {
    try {
      figures.set(request.name, await measureRequest(call, request, millisecondsForPeer));
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'TimeoutError')) throw error;
      figures.set(request.name, { median: longestOfPeer, runIds: null });
      return;
    }
  }
}

function printGrowth(table: ReadonlyMap<string, readonly Figures[]>): void {
  const widest = Math.max(...[...table.keys()].map((name) => name.length));
  const columns = (values: readonly string[]) => values.map((value) => value.padStart(20)).join('');
  console.log('  How the cost grows with the number of runs: milliseconds of Slipway, of mlflow server');
  console.log(`    ${''.padEnd(widest)}${columns(sizes.map((size) => `${size.toLocaleString('en')} runs`))}`);
  for (const [name, figures] of table) {
    const cells = figures.map(
      ({ slipway, mlflow }) => `${shown(slipway)}, ${mlflow === longestOfPeer ? '>' : ''}${shown(mlflow)}`,
    );
    console.log(`    ${name.padEnd(widest)}${columns(cells)}`);
  }
}

function shown(milliseconds: number): string {
  if (Number.isNaN(milliseconds)) return '-';
  return milliseconds.toFixed(milliseconds < 100 ? 1 : 0);
}
