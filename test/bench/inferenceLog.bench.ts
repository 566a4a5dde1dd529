import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { linearModel } from '../fixtures/onnxFile.ts';
import {
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from '../scorer/scorerProcess.ts';
import { median } from './median.ts';
import { type LoadGenerator, startLoadGenerator } from './serving/load.ts';
import { processorMicroseconds } from './serving/processorTime.ts';

const processes = Number(process.env.SLIPWAY_BENCH_ROUNDS ?? 3);
const pairs = 40;
const secondsPerTurn = 0.3;
/** Until the code of a new process is compiled, which other threads do at the same time. */
const warmUpSeconds = 5;
/** Longer than the log waits before it writes what is kept. */
const settleMilliseconds = 200;
const columns = ['a', 'b', 'c'];

/** What one load of requests took, in microseconds a request. */
interface Load {
  /** Of the clock, with all connections at work. */
  readonly time: number;
  /** Of all processor cores that the scorer used. */
  readonly processor: number;
  readonly percentile99: number;
}

/** Two turns of one process, one right after the other. */
interface Pair {
  readonly silent: Load;
  readonly logging: Load;
}

const situations = [
  { rows: 1, connections: 1 },
  { rows: 1, connections: 32 },
  { rows: 64, connections: 1 },
  { rows: 64, connections: 32 },
] as const;

/**
 * What an endpoint pays for its inference log: the same requests to a scorer of one tiny model that keeps all of them,
 * or none. A tiny model is the worst case, as a larger one makes the log's share smaller.
 *
 * Two processes of the same program differ by more than the log's share, as long as they live. So one process keeps
 * all and none in turns, and each figure is the median of what two turns side by side differ by.
 */
export async function run(): Promise<void> {
  const folder = await temporaryFolder();
  const generator = startLoadGenerator();
  const measured = situations.map((): Pair[] => []);
  try {
    for (let number = 0; number < processes; number += 1) {
      const inferenceLog = join(folder, `log-${number}.db`);
      const scorer = await startScorerProcess(folder, linearModel(), { columns, inferenceLog });
      for (const [index, { rows, connections }] of situations.entries()) {
        const load = (seconds: number) => measure(generator, scorer, rows, connections, seconds);
        measured[index]?.push(...(await inTurns(scorer, load)));
      }
      await scorer.drain();
    }
  } finally {
    generator.close();
    await removeFolder(folder);
  }
  for (const [index, { rows, connections }] of situations.entries()) {
    report(`${rows} rows a request, ${connections} at once`, measured[index] ?? []);
  }
}

async function inTurns(
  scorer: RunningScorer,
  load: (seconds: number) => Promise<Load>,
): Promise<readonly Pair[]> {
  const keeping = async (share: number, seconds: number) => {
    await scorer.command({ type: 'sample', share });
    return load(seconds);
  };
  for (const share of [0, 1]) await keeping(share, warmUpSeconds);
  const measured: Pair[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const first = await keeping(pair % 2, secondsPerTurn);
    const second = await keeping(1 - (pair % 2), secondsPerTurn);
    measured.push(pair % 2 === 0 ? { silent: first, logging: second } : { silent: second, logging: first });
  }
  return measured;
}

function report(situation: string, measured: readonly Pair[]): void {
  const figure = (name: keyof Load) => {
    const added = spread(measured.map(({ silent, logging }) => logging[name] / silent[name]));
    const usual = (side: keyof Pair) => median(measured.map((pair) => pair[side][name])).toFixed(0);
    return `${added}; ${usual('logging')} against ${usual('silent')} µs`;
  };
  console.log(`  ${situation}: the log adds to`);
  console.log(`    the processor time of a request (aim: 15 %)  ${figure('processor')}`);
  console.log(`    its time                                     ${figure('time')}`);
  console.log(`    the 99th percentile of latency               ${figure('percentile99')}`);
}

/** The median of ratios and where it lies with 95 % (from the binomial distribution of its rank), as a difference to one. */
function spread(ratios: readonly number[]): string {
  const sorted = ratios.toSorted((one, other) => one - other);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const at = (rank: number) => signed(100 * ((sorted[Math.floor(rank)] ?? Number.NaN) - 1));
  const middle = sorted.length / 2;
  return `${at(middle)} % (${at(middle - reach)} to ${at(middle + reach)})`;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(1)}`;
}

function requestOf(rows: number): string {
  const data = Array.from({ length: rows }, (_, row) => columns.map((_column, index) => row + index / 8));
  return JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, columns.length], data: data.flat() }],
  });
}

async function measure(
  generator: LoadGenerator,
  { process: child, url, token }: RunningScorer,
  rows: number,
  connections: number,
  seconds: number,
): Promise<Load> {
  const pid = child.pid ?? 0;
  const { hostname, port } = new URL(url);
  const before = processorMicroseconds(pid);
  const result = await generator.run({
    host: hostname,
    port: Number(port),
    path: '/v2/models/wine/infer',
    headers: { authorization: `Bearer ${token}` },
    body: requestOf(rows),
    connections,
    seconds,
    count: Number.MAX_SAFE_INTEGER,
  });
  // What it still has to write belongs to these requests.
  await setTimeout(settleMilliseconds);
  return {
    time: (1e6 * result.seconds) / result.answers,
    processor: (processorMicroseconds(pid) - before) / result.answers,
    percentile99: result.p99,
  };
}
