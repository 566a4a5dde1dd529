import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { z } from 'zod';
import { trackingServer } from './terminalEnvironment.ts';

const experiments = z.object({ experiments: z.array(z.object({ experiment_id: z.string() })) });
const runs = z.object({
  runs: z.array(z.object({ info: z.object({ run_id: z.string(), run_name: z.string() }) })),
});
const models = z.object({ registered_models: z.array(z.object({ name: z.string() })) });
const version = z.object({ model_version: z.object({ current_stage: z.string() }) });

/** The URI of the first workspace folder as text: how commands name it. */
export function folder(): string {
  const [first] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(first, 'no folder is open');
  return first.uri.toString();
}

/** A recorded run of the sample project. */
export async function recordedRun(): Promise<{ readonly runId: string; readonly name: string }> {
  const { ask } = await trackingServer();
  const found = experiments.parse(await ask('experiments/search', { max_results: 10 }));
  const ids = found.experiments.map(({ experiment_id }) => experiment_id);
  const [run] = runs.parse(await ask('runs/search', { experiment_ids: ids, max_results: 1 })).runs;
  assert.ok(run, 'the sample project has no recorded run');
  return { runId: run.info.run_id, name: run.info.run_name };
}

/** The registered model of the sample project. */
export async function registeredModel(): Promise<string> {
  const { ask } = await trackingServer();
  const [model] = models.parse(await ask('registered-models/search')).registered_models;
  assert.ok(model, 'the sample project has no registered model');
  return model.name;
}

/** The stage of a version. */
export async function stageOf(name: string, number: number): Promise<string> {
  const { ask } = await trackingServer();
  const query = new URLSearchParams({ name, version: String(number) });
  return version.parse(await ask(`model-versions/get?${query}`)).model_version.current_stage;
}
