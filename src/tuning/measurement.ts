import { availableParallelism, cpus } from 'node:os';
import { SlipwayError } from '../protocol/errors.ts';
import { inferUrl } from '../protocol/inferUrl.ts';
import type { ScorerModelInput } from '../protocol/scorer.ts';
import { phrase } from '../protocol/servingSentences.ts';
import {
  type Measurement,
  type RuntimeChoice,
  type TuningReport,
  tuningConnections,
} from '../protocol/tuning.ts';
import { startFleet } from '../supervision/scorerFleet.ts';
import { choose } from './choice.ts';
import { closedLoop, openLoop } from './load.ts';
import { processUsage } from './processUsage.ts';

export interface TuningOptions {
  readonly script: string;
  readonly model: ScorerModelInput;
  /** Rows of each request. */
  readonly rows: number;
  /** How long each way is measured in a round. */
  readonly seconds: number;
  readonly rounds: number;
  readonly signal: AbortSignal;
  /** Told a share between 0 and 1, and which way is measured next. */
  readonly progress: (fraction: number, next: RuntimeChoice | null) => void;
  readonly warn: (message: string) => void;
}

/** The moderate load, as a share of what the plainest way can answer. */
const moderateShare = 0.4;
const warmUpSeconds = 0.25;

/** More processes than this are not tried: each takes its memory. */
const mostProcesses = 16;

/** The ways to try on a machine with so many processor cores: threads by processes, and sizes of batches for each. */
export function waysToRun(cores: number): readonly RuntimeChoice[] {
  const most = Math.floor(Math.log2(Math.min(cores, mostProcesses)));
  const counts = [...new Set([0, Math.floor(most / 2), most].map((power) => 2 ** power))];
  return counts.flatMap((threads) =>
    counts
      .filter((processes) => threads * processes <= cores)
      .flatMap((processes) => [1, 8, 64, 1024].map((batchRows) => ({ threads, processes, batchRows }))),
  );
}

/**
 * Measures all ways to run a model on this machine, and chooses one.
 *
 * @throws SlipwayError `cancelled`, or what a scorer failed with.
 */
export async function tune(options: TuningOptions): Promise<TuningReport> {
  const measurements = await measureWays(options);
  const { chosen, reasons } = choose(measurements);
  const { threads, processes, batchRows } = chosen;
  return {
    model: options.model.name,
    version: options.model.version,
    rows: options.rows,
    machine: { processor: cpus()[0]?.model.trim() ?? '', cores: availableParallelism() },
    measurements,
    choice: { threads, processes, batchRows },
    reasons: options.rounds === 1 ? [...reasons, [phrase('measuredOnce')]] : reasons,
  };
}

/**
 * Measures each way to run a model, in rounds, so that what else the machine does meets all of them; each figure is the
 * better of its rounds, as a disturbance only makes figures worse.
 */
async function measureWays(options: TuningOptions): Promise<readonly Measurement[]> {
  const { rounds } = options;
  const ways = waysToRun(availableParallelism());
  const measured: Measurement[][] = ways.map(() => []);
  let moderateRate: number | null = null;
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, way] of ways.entries()) {
      if (options.signal.aborted) throw new SlipwayError('cancelled');
      options.progress((round * ways.length + index) / (rounds * ways.length), way);
      const measurement: Measurement = await measureWay(way, moderateRate, options);
      moderateRate ??= moderateShare * measurement.rate;
      measured[index]?.push(measurement);
    }
  }
  options.progress(1, null);
  return measured.flatMap((results) => bestOf(results));
}

async function measureWay(
  { threads, processes, batchRows }: RuntimeChoice,
  moderateRate: number | null,
  { script, model, rows, seconds, warn }: TuningOptions,
): Promise<Measurement> {
  const fleet = await startFleet({
    script,
    port: 0,
    processes,
    scorer: {
      endpoint: model.name,
      models: [model],
      host: '127.0.0.1',
      token: null,
      inferenceLog: null,
      runtime: { threads, batchRows },
    },
    log: warn,
  });
  try {
    const target = {
      url: inferUrl(fleet.url, model.name),
      body: repeatRows(fleet.versions[0]?.exampleRequest ?? '', rows),
    };
    await closedLoop(target, tuningConnections, warmUpSeconds);
    const before = processUsage(fleet.processIds());
    const full = await closedLoop(target, tuningConnections, seconds / 2);
    const after = processUsage(fleet.processIds());
    const moderate = await openLoop(target, moderateRate ?? moderateShare * full.rate, seconds / 2);
    return {
      threads,
      processes,
      batchRows,
      rate: full.rate,
      spread: 1,
      p50: moderate.p50,
      p99: moderate.p99,
      processorMicroseconds: before && after && (after.microseconds - before.microseconds) / full.answers,
      residentBytes: after?.residentBytes ?? null,
    };
  } finally {
    await fleet.drain();
  }
}

function bestOf(results: readonly Measurement[]): readonly Measurement[] {
  const [first] = results;
  if (!first) return [];
  const rates = results.map(({ rate }) => rate);
  const least = (figure: (measurement: Measurement) => number | null): number | null => {
    const figures = results.flatMap((measurement) => figure(measurement) ?? []);
    return figures.length === 0 ? null : Math.min(...figures);
  };
  return [
    {
      ...first,
      rate: Math.max(...rates),
      spread: Math.max(...rates) / Math.min(...rates),
      p50: Math.min(...results.map(({ p50 }) => p50)),
      p99: Math.min(...results.map(({ p99 }) => p99)),
      processorMicroseconds: least(({ processorMicroseconds }) => processorMicroseconds),
      residentBytes: least(({ residentBytes }) => residentBytes),
    },
  ];
}

interface ExampleRequest {
  readonly inputs: readonly {
    readonly shape: readonly number[];
    readonly data: readonly unknown[];
  }[];
}

/** The example request with its first row so many times. */
export function repeatRows(example: string, rows: number): string {
  if (rows === 1) return example;
  const request: ExampleRequest = JSON.parse(example);
  const inputs = request.inputs.map((input) => {
    const [count = 1, ...rest] = input.shape;
    const values: readonly unknown[] = input.data.flat(Number.POSITIVE_INFINITY);
    const row = values.slice(0, values.length / Math.max(1, count));
    return { ...input, shape: [rows, ...rest], data: Array.from({ length: rows }, () => row).flat() };
  });
  return JSON.stringify({ ...request, inputs });
}
