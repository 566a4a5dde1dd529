import { inTemporaryFolder, startHeadless } from '../engine/headless.ts';
import { startMlflowServer } from '../interop/mlflowServer.ts';
import { createRawClient, createRun, type RawClient } from './rawClient.ts';

const points = 1_000_000;
const pointsPerBatch = 1000;
const pointsPerPage = 25_000;
const rounds = 5;

/** What a server took, in milliseconds. */
interface Times {
  readonly write: number;
  readonly firstPage: number;
  readonly deepPage: number;
  readonly allPages: number;
  readonly sample: number;
}

/**
 * The history of a metric of a million points, written point by point in batches: its pages as the Python client asks
 * for them, a sample for a chart, and, of Slipway alone, the whole at once and how long another request has to wait
 * meanwhile. Slipway beside MLflow's own server with its SQLite store.
 */
export async function run(): Promise<void> {
  const python = process.env.SLIPWAY_TEST_PYTHON;
  const mlflow = python ? await startMlflowServer(python, 120_000, 4) : null;
  try {
    const theirs = mlflow ? await timesOf(mlflow.url, 1) : null;
    await inTemporaryFolder(async (folder) => {
      const engine = await startHeadless(folder, ['--no-token']);
      try {
        const own = await timesOf(engine.url, rounds, reportWhole);
        for (const [name, title] of [
          ['write', 'log 1,000,000 points'],
          ['firstPage', 'first page of 25,000'],
          ['deepPage', 'last page of 25,000'],
          ['allPages', 'all 40 pages'],
          ['sample', '320 points for a chart'],
        ] as const) {
          const ratio = theirs ? (theirs[name] / own[name]).toFixed(0) : '?';
          console.log(
            `  ${title.padEnd(26)} Slipway ${milliseconds(own[name])}, MLflow ${milliseconds(theirs?.[name] ?? Number.NaN)}: ${ratio} times`,
          );
        }
      } finally {
        await engine.stop();
      }
    });
  } finally {
    mlflow?.close();
  }
}

async function timesOf(
  url: string,
  rounds: number,
  more: (url: string, client: RawClient, runId: string) => Promise<void> = async () => undefined,
): Promise<Times> {
  const client = createRawClient(url);
  try {
    const runId = await createRun(client);
    const write = await timed(() => writePoints(client, runId));
    const page = `/metrics/get-history?run_id=${runId}&metric_key=loss&max_results=${pointsPerPage}`;
    const tokens = await pageTokens(client, page);
    const last = `${page}&page_token=${encodeURIComponent(tokens.at(-1) ?? '')}`;
    const sample = `/metrics/get-history-bulk-interval?run_ids=${runId}&metric_key=loss&max_results=320`;
    const times = {
      write,
      firstPage: await fastest(rounds, () => client.get(page)),
      deepPage: await fastest(rounds, () => client.get(last)),
      allPages: await fastest(Math.min(rounds, 2), () => pageTokens(client, page)),
      sample: await fastest(rounds, () => client.get(sample, '/ajax-api/2.0/mlflow')),
    };
    await more(url, client, runId);
    return times;
  } finally {
    client.close();
  }
}

/** The whole in one answer, while another client asks for something small again and again. */
async function reportWhole(url: string, client: RawClient, runId: string): Promise<void> {
  const other = createRawClient(url);
  let isDone = false;
  const waits: number[] = [];
  const asking = (async () => {
    while (!isDone) waits.push(await timed(() => other.get('/experiments/get?experiment_id=0')));
  })();
  const whole = await timed(() => client.get(`/metrics/get-history?run_id=${runId}&metric_key=loss`));
  isDone = true;
  await asking;
  other.close();
  const [longest = Number.NaN] = waits.toSorted((left, right) => right - left);
  console.log(
    `  all points in one answer   Slipway ${milliseconds(whole)}; another request waits ${longest.toFixed(0)} ms at most`,
  );
}

async function writePoints(client: RawClient, runId: string): Promise<void> {
  for (let from = 0; from < points; from += pointsPerBatch) {
    const metrics = Array.from({ length: pointsPerBatch }, (_, index) => ({
      key: 'loss',
      value: Math.sin((from + index) / 10_000),
      timestamp: 1_700_000_000_000 + from + index,
      step: from + index,
    }));
    await client.post('/runs/log-batch', JSON.stringify({ run_id: runId, metrics }));
  }
}

/** The tokens of all pages but the first, in order. */
async function pageTokens(client: RawClient, page: string): Promise<readonly string[]> {
  const tokens: string[] = [];
  for (let query = page; ; ) {
    const token = /"next_page_token":\s?"([^"]+)"/.exec((await client.get(query)).slice(-500))?.[1];
    if (token === undefined) return tokens;
    tokens.push(token);
    query = `${page}&page_token=${encodeURIComponent(token)}`;
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function fastest(rounds: number, work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) best = Math.min(best, await timed(work));
  return best;
}

function milliseconds(time: number): string {
  return `${time.toFixed(time < 100 ? 1 : 0).padStart(7)} ms`;
}
