import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { HeadlessEngine } from './headless.ts';

/** Something that a client was told is written, and how an engine shows that it is. */
export interface AcknowledgedWrite {
  readonly what: string;
  /** Throws when it is not there, or is another. */
  look(engine: HeadlessEngine): Promise<void>;
}

export type LoadKind = 'log' | 'runs' | 'artifacts' | 'registry';
export const loadKinds: readonly LoadKind[] = ['log', 'runs', 'artifacts', 'registry'];

/**
 * A client that writes one kind of thing, one request after the other, until a request fails or `enough` says so. Gives
 * what it was told is written; `failed` hears why it ended.
 */
export async function writeUntilItFails(
  engine: HeadlessEngine,
  kind: LoadKind,
  acknowledged: AcknowledgedWrite[],
  options: { readonly enough?: () => boolean; readonly failed?: (error: unknown) => void } = {},
): Promise<void> {
  try {
    const write = await writers[kind](engine);
    for (let count = 0; !options.enough?.(); count += 1) acknowledged.push(...(await write(count)));
  } catch (error) {
    options.failed?.(error);
  }
}

type Writer = (engine: HeadlessEngine) => Promise<(count: number) => Promise<readonly AcknowledgedWrite[]>>;

const writers: Readonly<Record<LoadKind, Writer>> = {
  /** Batches of metrics, parameters and tags into one run; single metrics in between. */
  async log(engine) {
    const runId = await createRun(engine);
    return async (count) => {
      const steps = Array.from({ length: 10 }, (_, offset) => count * 10 + offset);
      const metrics = steps.map((step) => ({ key: 'loss', value: 1 / (step + 1), timestamp: step, step }));
      const params = [{ key: `p${count}`, value: String(count) }];
      const tags = [{ key: `t${count}`, value: String(count) }];
      await engine.call('POST', '/api/2.0/mlflow/runs/log-batch', { run_id: runId, metrics, params, tags });
      const single = { run_id: runId, key: 'single', value: count, timestamp: count, step: count };
      await engine.call('POST', '/api/2.0/mlflow/runs/log-metric', single);
      return [
        {
          what: `batch ${count} of run ${runId}`,
          async look(again) {
            const run = await runOf(again, runId);
            assert.ok(run.params.has(`p${count}`) && run.tags.has(`t${count}`), 'parameters and tags');
            const found = await stepsOf(again, runId, 'loss');
            assert.deepEqual(
              steps.filter((step) => !found.has(step)),
              [],
            );
            assert.ok((await stepsOf(again, runId, 'single')).has(count));
          },
        },
      ];
    };
  },

  /** Runs that begin and end. */
  async runs(engine) {
    return async () => {
      const runId = await createRun(engine);
      const begun: AcknowledgedWrite = {
        what: `run ${runId}`,
        look: async (again) => void (await runOf(again, runId)),
      };
      await engine.call('POST', '/api/2.0/mlflow/runs/update', {
        run_id: runId,
        status: 'FINISHED',
        end_time: 7,
      });
      return [
        begun,
        {
          what: `end of run ${runId}`,
          look: async (again) => assert.equal((await runOf(again, runId)).status, 'FINISHED'),
        },
      ];
    };
  },

  /** Files of up to 100 kB. */
  async artifacts(engine) {
    const runId = await createRun(engine);
    return async (count) => {
      const content = randomBytes(1 + Math.floor(Math.random() * 100_000));
      const path = `/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/${count % 10}/file-${count}`;
      const response = await fetch(new URL(path, engine.url), {
        method: 'PUT',
        headers: authorization(engine),
        body: content,
      });
      const answer = await response.text();
      if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${answer}`);
      const digest = digestOf(content);
      return [
        {
          what: `artifact ${path}`,
          async look(again) {
            const found = await fetch(new URL(path, again.url), { headers: authorization(again) });
            assert.equal(digestOf(Buffer.from(await found.arrayBuffer())), digest);
          },
        },
      ];
    };
  },

  /** Versions of a model of its own, with an alias and a stage. */
  async registry(engine) {
    const name = `model-${randomBytes(6).toString('hex')}`;
    await engine.call('POST', '/api/2.0/mlflow/registered-models/create', { name });
    return async () => {
      const answer = await engine.call('POST', '/api/2.0/mlflow/model-versions/create', {
        name,
        source: 's3://bucket/model',
      });
      const version = text(record(answer.model_version).version);
      const alias = `a${version}`;
      const named = { name, version };
      await engine.call('POST', '/api/2.0/mlflow/registered-models/alias', { ...named, alias });
      await engine.call('POST', '/api/2.0/mlflow/model-versions/transition-stage', {
        ...named,
        stage: 'Staging',
        archive_existing_versions: false,
      });
      return [
        {
          what: `version ${version} of ${name}`,
          async look(again) {
            const query = `name=${name}&version=${version}`;
            const found = await again.call('GET', `/api/2.0/mlflow/model-versions/get?${query}`);
            const { current_stage, aliases } = record(found.model_version);
            assert.equal(current_stage, 'Staging');
            assert.deepEqual(aliases, [alias]);
          },
        },
      ];
    };
  },
};

async function createRun(engine: HeadlessEngine): Promise<string> {
  const answer = await engine.call('POST', '/api/2.0/mlflow/runs/create', {
    experiment_id: '0',
    start_time: 1,
  });
  return text(record(record(answer.run).info).run_id);
}

interface LoadedRun {
  readonly status: unknown;
  readonly params: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
}

async function runOf(engine: HeadlessEngine, runId: string): Promise<LoadedRun> {
  const answer = await engine.call('GET', `/api/2.0/mlflow/runs/get?run_id=${runId}`);
  const { info, data } = record(answer.run);
  const keys = (items: unknown) => new Set(records(items).map(({ key }) => text(key)));
  return { status: record(info).status, params: keys(record(data).params), tags: keys(record(data).tags) };
}

async function stepsOf(engine: HeadlessEngine, runId: string, key: string): Promise<ReadonlySet<number>> {
  const path = `/api/2.0/mlflow/metrics/get-history?run_id=${runId}&metric_key=${key}&max_results=25000`;
  const { metrics } = await engine.call('GET', path);
  return new Set(records(metrics).map(({ step }) => Number(step)));
}

function authorization({ token }: HeadlessEngine): Readonly<Record<string, string>> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
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
