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

const rounds = Number(process.env.SLIPWAY_BENCH_ROUNDS ?? 31);
const secondsPerRound = 0.4;
const warmUpSeconds = 3;
const columns = ['a', 'b', 'c'];

/** What one load of requests took, in microseconds a request. */
interface Load {
  /** Of the clock, with all connections at work. */
  readonly time: number;
  /** Of all processor cores that the scorer used. */
  readonly processor: number;
  readonly percentile99: number;
}

/**
 * What an endpoint pays for its inference log: the same requests to two scorers of one tiny model, of which one keeps
 * the log. A tiny model is the worst case, as a larger one makes the log's share smaller.
 *
 * The share is smaller than what a busy machine changes from one second to the next. So the rounds are many and short,
 * take turns, and begin with the one and with the other; each figure is the median of the rounds' own ratios, told with
 * its quartiles.
 */
export async function run(): Promise<void> {
  const folder = await temporaryFolder();
  const generator = startLoadGenerator();
  try {
    const model = linearModel();
    const silent = await startScorerProcess(folder, model, { columns });
    const logging = await startScorerProcess(folder, model, {
      columns,
      inferenceLog: join(folder, 'log.db'),
    });
    for (const { rows, connections } of [
      { rows: 1, connections: 1 },
      { rows: 1, connections: 32 },
      { rows: 64, connections: 1 },
      { rows: 64, connections: 32 },
    ]) {
      const load = (scorer: RunningScorer, seconds: number) =>
        measure(generator, scorer, rows, connections, seconds);
      await compare(`${rows} rows a request, ${connections} at once`, silent, logging, load);
    }
    await silent.drain();
    await logging.drain();
  } finally {
    generator.close();
    await removeFolder(folder);
  }
}

async function compare(
  situation: string,
  silent: RunningScorer,
  logging: RunningScorer,
  load: (scorer: RunningScorer, seconds: number) => Promise<Load>,
): Promise<void> {
  await load(silent, warmUpSeconds);
  await load(logging, warmUpSeconds);
  const pairs: { readonly without: Load; readonly with: Load }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) {
      const without = await load(silent, secondsPerRound);
      pairs.push({ without, with: await load(logging, secondsPerRound) });
    } else {
      const logged = await load(logging, secondsPerRound);
      pairs.push({ without: await load(silent, secondsPerRound), with: logged });
    }
  }
  const figure = (name: keyof Load) => {
    const ratios = pairs.map((pair) => pair.with[name] / pair.without[name]);
    const [lower = 0, middle = 0, upper = 0] = quartiles(ratios).map((ratio) => 100 * (ratio - 1));
    const of = (side: 'with' | 'without') => median(pairs.map((pair) => pair[side][name])).toFixed(0);
    return `${signed(middle)} % (${signed(lower)} to ${signed(upper)}; ${of('with')} against ${of('without')} µs)`;
  };
  console.log(`  ${situation}: the log adds to`);
  console.log(`    the processor time of a request  ${figure('processor')} (aim: 15 %)`);
  console.log(`    its time                         ${figure('time')}`);
  console.log(`    the 99th percentile of latency   ${figure('percentile99')}`);
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
