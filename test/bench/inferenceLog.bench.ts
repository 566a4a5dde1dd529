import { join } from 'node:path';
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

const rounds = Number(process.env.SLIPWAY_BENCH_ROUNDS ?? 9);
const turns = 4;
const secondsPerTurn = 0.4;
const warmUpSeconds = 1.5;
const columns = ['a', 'b', 'c'];

/** What one load of requests took, in microseconds a request. */
interface Load {
  /** Of the clock, with all connections at work. */
  readonly time: number;
  /** Of all processor cores that the scorer used. */
  readonly processor: number;
  readonly percentile99: number;
}

/** Two that keep no log tell by how much scorers differ that are the same. */
const sides = ['silent', 'twin', 'logging'] as const;
type Side = (typeof sides)[number];
type Loads = Readonly<Record<Side, Load>>;

const situations = [
  { rows: 1, connections: 1 },
  { rows: 1, connections: 32 },
  { rows: 64, connections: 1 },
  { rows: 64, connections: 32 },
] as const;

/**
 * What an endpoint pays for its inference log: the same requests to scorers of one tiny model, of which one keeps the
 * log. A tiny model is the worst case, as a larger one makes the log's share smaller.
 *
 * One process is faster than another of the same program by more than the log's share, as long as it lives. So each
 * round begins new ones, in another order, and within it they take short turns; each figure is the median of the
 * rounds' own ratios, told with its quartiles.
 */
export async function run(): Promise<void> {
  const folder = await temporaryFolder();
  const generator = startLoadGenerator();
  const measured = situations.map((): Loads[] => []);
  try {
    for (let round = 0; round < rounds; round += 1) {
      const scorers = await startScorers(folder, round);
      for (const [index, { rows, connections }] of situations.entries()) {
        const load = (side: Side, seconds: number) =>
          measure(generator, scorers[side], rows, connections, seconds);
        measured[index]?.push(await inTurns(load, round));
      }
      for (const side of sides) await scorers[side].drain();
    }
  } finally {
    generator.close();
    await removeFolder(folder);
  }
  for (const [index, { rows, connections }] of situations.entries()) {
    report(`${rows} rows a request, ${connections} at once`, measured[index] ?? []);
  }
}

async function startScorers(folder: string, round: number): Promise<Readonly<Record<Side, RunningScorer>>> {
  const model = linearModel();
  const started: Partial<Record<Side, RunningScorer>> = {};
  for (const side of turned(sides, round)) {
    const inferenceLog = side === 'logging' ? join(folder, `log-${round}.db`) : null;
    started[side] = await startScorerProcess(folder, model, { columns, inferenceLog });
  }
  const { silent, twin, logging } = started;
  if (!silent || !twin || !logging) throw new Error('A scorer did not start.');
  return { silent, twin, logging };
}

async function inTurns(load: (side: Side, seconds: number) => Promise<Load>, round: number): Promise<Loads> {
  for (const side of sides) await load(side, warmUpSeconds);
  const loads: Record<Side, Load[]> = { silent: [], twin: [], logging: [] };
  for (let turn = 0; turn < turns; turn += 1) {
    for (const side of turned(sides, round + turn)) loads[side].push(await load(side, secondsPerTurn));
  }
  const middle = (side: Side): Load => {
    const of = (name: keyof Load) => median(loads[side].map((one) => one[name]));
    return { time: of('time'), processor: of('processor'), percentile99: of('percentile99') };
  };
  return { silent: middle('silent'), twin: middle('twin'), logging: middle('logging') };
}

/** The same ones, with another at the beginning. */
function turned<Item>(items: readonly Item[], by: number): readonly Item[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function report(situation: string, loads: readonly Loads[]): void {
  const without = (one: Loads, name: keyof Load) => (one.silent[name] + one.twin[name]) / 2;
  const figure = (name: keyof Load) => {
    const added = spread(loads.map((one) => one.logging[name] / without(one, name)));
    const difference = spread(loads.map((one) => one.twin[name] / one.silent[name]));
    const microseconds = [loads.map((one) => one.logging[name]), loads.map((one) => without(one, name))];
    const [logged, silent] = microseconds.map((values) => median(values).toFixed(0));
    return `${added}; ${logged} against ${silent} µs; two without it differ by ${difference}`;
  };
  console.log(`  ${situation}: the log adds to`);
  console.log(`    the processor time of a request (aim: 15 %)  ${figure('processor')}`);
  console.log(`    its time                                     ${figure('time')}`);
  console.log(`    the 99th percentile of latency               ${figure('percentile99')}`);
}

/** The median and the quartiles of ratios, as a difference to one. */
function spread(ratios: readonly number[]): string {
  const [lower = 0, middle = 0, upper = 0] = quartiles(ratios).map((ratio) => signed(100 * (ratio - 1)));
  return `${middle} % (${lower} to ${upper})`;
}

function quartiles(values: readonly number[]): readonly number[] {
  const sorted = values.toSorted((one, other) => one - other);
  return [0.25, 0.5, 0.75].map((part) => sorted[Math.floor(part * sorted.length)] ?? Number.NaN);
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
  return {
    time: (1e6 * result.seconds) / result.answers,
    processor: (processorMicroseconds(pid) - before) / result.answers,
    percentile99: result.p99,
  };
}
