import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inTemporaryFolder } from '../engine/headless.ts';
import { median } from './median.ts';
import { type LoadGenerator, startLoadGenerator } from './serving/load.ts';
import { type PeerModel, type RunningPeer, servingPeers } from './serving/peers.ts';
import { processorMicroseconds, residentBytes } from './serving/processorTime.ts';
import { type Undisturbed, undisturbed } from './serving/stolenTime.ts';

const columns = 20;
const modelNames = ['logreg', 'mlp', 'gbt100'];
const situations = [
  { rows: 1, connections: 1 },
  { rows: 1, connections: 32 },
  { rows: 64, connections: 1 },
  { rows: 64, connections: 32 },
];
const rounds = Number(process.env.SLIPWAY_BENCH_ROUNDS ?? 5);
const secondsPerRound = Number(process.env.SLIPWAY_BENCH_SECONDS ?? 0.5);
/** Until the code of a process is compiled, which other threads do at the same time. */
const warmUpSeconds = 3;

/** What a peer did in one round: microseconds, but for the rate (requests a second). */
interface Round {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  /** Of the server, for each request. */
  readonly processor: number;
  /** Of the load generator, for each request. */
  readonly generator: number;
}

/**
 * Slipway's scorer beside the HTTP and JSON floor of the same Node.js, the least that one would write by hand to answer with
 * the model, the bare runtime, and what people install else, all with the same models on the same machine. The rounds
 * alternate between the peers, and there are several processes of those that are compared closely; each figure is the median
 * of its rounds, each ratio that of the quotients of rounds that follow each other. `processor` is the time of all processor
 * cores that the server's processes used for one request, which other programs on the machine disturb less than the rate.
 * A turn in which the host took processors away from this machine is measured again.
 */
export async function run(): Promise<void> {
  const python = process.env.SLIPWAY_TEST_PYTHON ?? process.env.SLIPWAY_TEST_PYTHON_SERVING;
  if (!python) {
    console.log('  There is no Python to build the models with.');
    return;
  }
  await inTemporaryFolder(async (folder) => {
    execFileSync(python, [join(import.meta.dirname, '../fixtures/python/serving_models.py'), folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const logFolder = join(folder, 'logs');
    mkdirSync(logFolder);
    const generator = startLoadGenerator();
    const wanted = process.env.SLIPWAY_BENCH_MODELS?.split(',') ?? modelNames;
    for (const name of wanted) {
      const model = {
        name,
        file: join(folder, `${name}.onnx`),
        mlflowFolder: join(folder, `${name}-mlflow`),
      };
      await compare(model, logFolder, generator);
    }
    generator.close();
  });
}

async function compare(model: PeerModel, logFolder: string, generator: LoadGenerator): Promise<void> {
  const peers: RunningPeer[] = [];
  try {
    const all = servingPeers(columns, logFolder);
    for (let started = 0; all.some(({ processes }) => started < processes); started++) {
      for (const peer of all.filter(({ processes }) => started < processes)) {
        try {
          peers.push(await peer.start(model));
        } catch (error) {
          console.log(`  ${peer.name} is left out: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
    const names = [...new Set(peers.map(({ name }) => name))];
    const of = (name: string) => peers.filter((peer) => peer.name === name);
    console.log(`  ${model.name}: start to first answer`);
    for (const name of names) {
      const aim = name === 'slipway' ? ' (aim: 400)' : '';
      const milliseconds = median(of(name).map(({ startMilliseconds }) => startMilliseconds));
      console.log(`    ${name.padEnd(16)} ${milliseconds.toFixed(0).padStart(6)} ms${aim}`);
    }
    for (const situation of situations) await inSituation(model, peers, situation, generator);
    for (const name of names) {
      const bytes = median(of(name).map(({ pid }) => residentBytes(pid)));
      console.log(`    ${name.padEnd(16)} ${(bytes / 1e6).toFixed(0).padStart(6)} MB of memory`);
    }
  } finally {
    for (const peer of peers) await peer.stop();
  }
}

async function inSituation(
  model: PeerModel,
  peers: readonly RunningPeer[],
  { rows, connections }: (typeof situations)[number],
  generator: LoadGenerator,
): Promise<void> {
  const table = Array.from({ length: rows }, (_, row) =>
    Array.from(
      { length: columns },
      (_column, index) => Math.round(1e6 * Math.sin(row * columns + index)) / 1e6,
    ),
  );
  const measured = new Map<string, Round[]>();
  const raw: { readonly p50: number; readonly processorMicroseconds: number }[] = [];
  for (const peer of peers) await measure(peer, table, connections, generator, warmUpSeconds);
  let repetitions = 0;
  let disturbances = 0;
  const count = <Result>({ result, repeated, disturbed }: Undisturbed<Result>): Result => {
    repetitions += repeated;
    if (disturbed) disturbances++;
    return result;
  };
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of peers) {
      const turn = () => measure(peer, table, connections, generator, secondsPerRound);
      const result = count(await undisturbed(turn));
      measured.set(peer.name, [...(measured.get(peer.name) ?? []), result]);
    }
    if (connections === 1) raw.push(count(await undisturbed(async () => runRaw(model, rows))));
  }
  const all = (name: string, figure: keyof Round) =>
    (measured.get(name) ?? []).map((result) => result[figure]);
  const of = (name: string, figure: keyof Round) => median(all(name, figure));
  const ratio = (one: string, other: string, figure: keyof Round) =>
    ratioOf(all(one, figure), all(other, figure)).toFixed(2);
  console.log(`  ${model.name}, ${rows} rows a request, ${connections} at once`);
  for (const name of measured.keys()) {
    console.log(
      `    ${name.padEnd(16)} ${of(name, 'rate').toFixed(0).padStart(6)} requests/s` +
        `  p50 ${micro(of(name, 'p50'))}  p99 ${micro(of(name, 'p99'))}` +
        `  processor ${micro(of(name, 'processor'))} a request (${ratio(name, 'floor', 'processor')} × floor)`,
    );
  }
  if (repetitions > 0) {
    console.log(
      `    the host took processors away: ${repetitions} turns were measured again, ` +
        `${disturbances} of ${rounds * peers.length + raw.length} figures are of a disturbed one`,
    );
  }
  const generators = [...measured.keys()].map((name) => of(name, 'generator'));
  console.log(`    the load generator used ${micro(Math.max(...generators))} a request`);
  if (raw.length > 0) {
    const p50 = median(raw.map((result) => result.p50));
    // Of what is above, the floor's own time is HTTP, which no server in Node.js answers without.
    console.log(
      `    session.run alone: p50 ${micro(p50)}; slipway's is ${micro(of('slipway', 'p50') - p50)} above (aim: 300 µs), ` +
        `of which the floor alone takes ${micro(of('floor', 'p50'))}`,
    );
  }
  if (connections === 32) {
    console.log(
      `    slipway to floor: ${ratio('slipway', 'floor', 'processor')} × its processor time, ` +
        `${ratio('floor', 'slipway', 'rate')} × its time a request (aim: 1.25)`,
    );
    if (measured.has('by hand')) {
      console.log(
        `    slipway to one written by hand: ${ratio('slipway', 'by hand', 'processor')} × its ` +
          `processor time, ${ratio('by hand', 'slipway', 'rate')} × its time a request`,
      );
    }
    for (const name of ['FastAPI', 'BentoML', 'mlflow']) {
      if (!measured.has(name)) continue;
      const aim = name === 'mlflow' ? ' (aim: 20)' : '';
      console.log(
        `    slipway to ${name}: ${ratio('slipway', name, 'rate')} × the rate${aim}, ` +
          `${ratio(name, 'slipway', 'processor')} × less processor time`,
      );
    }
  }
}

async function measure(
  { pid, port, path, body }: RunningPeer,
  table: readonly (readonly number[])[],
  connections: number,
  generator: LoadGenerator,
  loadSeconds: number,
): Promise<Round> {
  const before = processorMicroseconds(pid);
  const {
    answers,
    seconds,
    p50,
    p99,
    processorMicroseconds: own,
  } = await generator.run({
    host: '127.0.0.1',
    port,
    path,
    headers: {},
    body: body(table),
    connections,
    seconds: loadSeconds,
    count: Number.MAX_SAFE_INTEGER,
  });
  const processor = (processorMicroseconds(pid) - before) / answers;
  return { rate: answers / seconds, p50, p99, processor, generator: own };
}

function runRaw({ file }: PeerModel, rows: number): { p50: number; processorMicroseconds: number } {
  const script = join(import.meta.dirname, 'serving/rawSession.ts');
  const args = [script, file, String(rows), String(columns), String(secondsPerRound)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function micro(microseconds: number): string {
  return `${microseconds.toFixed(0).padStart(6)} µs`;
}

/**
 * Of as many rounds, which were run in turns, the median of their quotients: what disturbs both leaves it as it is. Else the
 * quotient of the medians, as of several processes and one.
 */
function ratioOf(ones: readonly number[], others: readonly number[]): number {
  if (ones.length !== others.length) return median(ones) / median(others);
  return median(ones.map((one, round) => one / (others[round] ?? Number.NaN)));
}
