import { join } from 'node:path';
import autocannon from 'autocannon';
import { linearModel } from '../fixtures/onnxFile.ts';
import {
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from '../scorer/scorerProcess.ts';
import { median } from './median.ts';

const rounds = 7;
const secondsPerRound = 2;
const columns = ['a', 'b', 'c'];

/** What a load of requests met: milliseconds. */
interface Load {
  readonly meanLatency: number;
  readonly percentile99: number;
}

/**
 * What an endpoint pays for its inference log: the same requests to two scorers of one tiny model, of which one keeps
 * the log. A tiny model is the worst case, as a larger one makes the log's share smaller. The rounds alternate, so
 * that both meet the same machine; each figure is the median of the rounds' ratios.
 */
export async function run(): Promise<void> {
  const folder = await temporaryFolder();
  try {
    const model = linearModel();
    const silent = await startScorerProcess(folder, model, { columns });
    const logging = await startScorerProcess(folder, model, {
      columns,
      inferenceLog: join(folder, 'log.db'),
    });
    for (const { rows, connections } of [
      { rows: 1, connections: 1 },
      { rows: 1, connections: 8 },
      { rows: 32, connections: 1 },
      { rows: 32, connections: 8 },
    ]) {
      await compare(silent, logging, rows, connections);
    }
    await silent.drain();
    await logging.drain();
  } finally {
    await removeFolder(folder);
  }
}

async function compare(
  silent: RunningScorer,
  logging: RunningScorer,
  rows: number,
  connections: number,
): Promise<void> {
  const body = requestOf(rows);
  await load(silent, body, connections);
  await load(logging, body, connections);
  const pairs: { readonly without: Load; readonly with: Load }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    pairs.push({
      without: await load(silent, body, connections),
      with: await load(logging, body, connections),
    });
  }
  const ratio = median(pairs.map((pair) => pair.with.meanLatency / pair.without.meanLatency));
  const slowest = (of: 'with' | 'without') => median(pairs.map((pair) => pair[of].percentile99));
  const rate = (1000 * connections) / median(pairs.map((pair) => pair.with.meanLatency));
  console.log(
    `  ${rows} rows a request, ${connections} at once: ${ratio.toFixed(3)} × the mean latency without the log; ` +
      `99th percentile ${slowest('with')} ms against ${slowest('without')} ms (${rate.toFixed(0)} requests/s)`,
  );
}

function requestOf(rows: number): string {
  const data = Array.from({ length: rows }, (_, row) => columns.map((_column, index) => row + index / 8));
  return JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, columns.length], data }] });
}

async function load(scorer: RunningScorer, body: string, connections: number): Promise<Load> {
  const result = await autocannon({
    url: `${scorer.url}/v2/models/wine/infer`,
    method: 'POST',
    headers: { authorization: `Bearer ${scorer.token}`, 'content-type': 'application/json' },
    body,
    connections,
    duration: secondsPerRound,
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} answers were errors, and ${result.errors} requests got none.`);
  }
  // Autocannon counts latencies in whole milliseconds; as every connection waits for its answer, the rate tells the mean.
  const meanLatency = (1000 * connections * result.duration) / result.requests.total;
  return { meanLatency, percentile99: result.latency.p99 };
}
