import assert from 'node:assert/strict';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { type HeadlessEngine, inTemporaryFolder, startHeadless } from './headless.ts';

const rounds = 5;
const clients = 4;

/** What a client was told is written. */
interface Acknowledged {
  readonly steps: number[];
  readonly tags: string[];
}

describe('kill -9 of the engine in the middle of logging', function () {
  this.timeout(120_000);

  it(`loses no acknowledged write, in ${rounds} rounds with ${clients} clients`, async () => {
    await inTemporaryFolder(async (workspace) => {
      for (let round = 0; round < rounds; round += 1) {
        const engine = await startHeadless(workspace);
        const runIds = await Promise.all(Array.from({ length: clients }, () => createRun(engine)));
        const written: Acknowledged[] = runIds.map(() => ({ steps: [], tags: [] }));

        const logging = runIds.map((runId, client) => logUntilItFails(engine, runId, at(written, client)));
        await acknowledgedAtLeast(written, 20 + Math.floor(Math.random() * 200));
        await engine.kill();
        await Promise.all(logging);

        const again = await startHeadless(workspace);
        for (const [client, runId] of runIds.entries()) {
          const { steps, tags } = at(written, client);
          const found = await metricSteps(again, runId);
          const run = await runOf(again, runId);
          assert.deepEqual(
            steps.filter((step) => !found.has(step)),
            [],
            `round ${round}: metrics lost`,
          );
          assert.deepEqual(
            tags.filter((tag) => !run.tags.has(tag)),
            [],
            `round ${round}: tags lost`,
          );
        }
        assert.equal(await again.stop(), 0);
        assert.equal(integrity(join(workspace, '.slipway', 'store.db')), 'ok');
      }
    });
  });
});

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  assert.ok(item !== undefined);
  return item;
}

async function createRun(engine: HeadlessEngine): Promise<string> {
  const answer = await engine.call('POST', '/api/2.0/mlflow/runs/create', {
    experiment_id: '0',
    start_time: Date.now(),
  });
  return text(record(record(answer.run).info).run_id);
}

/** Logs batches of ten metrics, single metrics and tags in turn, and notes each that was acknowledged. */
async function logUntilItFails(engine: HeadlessEngine, runId: string, written: Acknowledged): Promise<void> {
  for (let step = 0; ; step += 10) {
    try {
      const steps = Array.from({ length: 10 }, (_, offset) => step + offset);
      const metrics = steps.map((s) => ({ key: 'loss', value: 1 / (s + 1), timestamp: Date.now(), step: s }));
      await engine.call('POST', '/api/2.0/mlflow/runs/log-batch', { run_id: runId, metrics });
      written.steps.push(...steps);
      const key = `step-${step}`;
      await engine.call('POST', '/api/2.0/mlflow/runs/set-tag', { run_id: runId, key, value: 'yes' });
      written.tags.push(key);
    } catch {
      // The engine was killed: what comes after the last acknowledgement is nobody's promise.
      return;
    }
  }
}

async function acknowledgedAtLeast(written: readonly Acknowledged[], count: number): Promise<void> {
  while (written.reduce((sum, { steps }) => sum + steps.length, 0) < count) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function metricSteps(engine: HeadlessEngine, runId: string): Promise<Set<number>> {
  const path = `/api/2.0/mlflow/metrics/get-history?run_id=${runId}&metric_key=loss&max_results=25000`;
  const { metrics } = await engine.call('GET', path);
  return new Set(records(metrics).map((metric) => Number(metric.step)));
}

async function runOf(engine: HeadlessEngine, runId: string): Promise<{ readonly tags: ReadonlySet<string> }> {
  const answer = await engine.call('GET', `/api/2.0/mlflow/runs/get?run_id=${runId}`);
  const tags = records(record(record(answer.run).data).tags);
  return { tags: new Set(tags.map((tag) => text(tag.key))) };
}

function integrity(file: string): unknown {
  const database = new BetterSqlite3(file, { readonly: true });
  try {
    return database.pragma('integrity_check', { simple: true });
  } finally {
    database.close();
  }
}

function record(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null);
  return { ...value };
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function text(value: unknown): string {
  assert.ok(typeof value === 'string');
  return value;
}
