import assert from 'node:assert/strict';
import { z } from 'zod';

const createdRun = z.object({ run: z.object({ info: z.object({ run_id: z.string() }) }) });
const createdExperiment = z.object({ experiment_id: z.string() });

/** A client of the MLflow REST dialect, for what needs no Python. */
export interface TrackingClient {
  createExperiment(name: string): Promise<string>;
  /** @returns the new run's ID. */
  startRun(experimentId: string, name: string): Promise<string>;
  logMetric(runId: string, key: string, value: number, step: number): Promise<void>;
  /** Whether the engine answers. */
  answers(): Promise<boolean>;
}

/** Speaks to the engine that a terminal's environment names. */
export function trackingClient(environment: Readonly<Record<string, string>>): TrackingClient {
  const url = environment.MLFLOW_TRACKING_URI;
  assert.match(url ?? '', /^http:\/\/127\.0\.0\.1:\d+$/);
  const headers = {
    authorization: `Bearer ${environment.MLFLOW_TRACKING_TOKEN}`,
    'content-type': 'application/json',
  };
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const address = `${url}/api/2.0/mlflow/${path}`;
    const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return JSON.parse(text);
  };
  return {
    async createExperiment(name) {
      return createdExperiment.parse(await post('experiments/create', { name })).experiment_id;
    },
    async startRun(experimentId, name) {
      const run = { experiment_id: experimentId, run_name: name, start_time: Date.now() };
      return createdRun.parse(await post('runs/create', run)).run.info.run_id;
    },
    async logMetric(runId, key, value, step) {
      await post('runs/log-metric', { run_id: runId, key, value, step, timestamp: Date.now() });
    },
    async answers() {
      return fetch(`${url}/api/2.0/mlflow/experiments/search?max_results=1`, { headers }).then(
        (answer) => answer.ok,
        () => false,
      );
    },
  };
}
