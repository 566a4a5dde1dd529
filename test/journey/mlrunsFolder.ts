import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A run as MLflow's file store keeps it. */
export interface MlrunsRun {
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly runId: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Of each metric its values, at steps 0, 1 …, a second apart. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
}

const experimentId = '417258936014725836';
const startTime = Date.UTC(2026, 0, 15, 12);

/** Writes an `mlruns` folder with one experiment, as MLflow 2 does. */
export async function writeMlruns(
  folder: string,
  experiment: string,
  runs: readonly MlrunsRun[],
): Promise<void> {
  const experimentFolder = join(folder, experimentId);
  await writeFields(experimentFolder, {
    artifact_location: `file://${experimentFolder}`,
    creation_time: startTime,
    experiment_id: `'${experimentId}'`,
    last_update_time: startTime,
    lifecycle_stage: 'active',
    name: experiment,
  });
  for (const { name, runId, parameters, metrics } of runs) {
    const runFolder = join(experimentFolder, runId);
    await writeFields(runFolder, {
      artifact_uri: `file://${join(runFolder, 'artifacts')}`,
      end_time: startTime + 60_000,
      entry_point_name: "''",
      experiment_id: `'${experimentId}'`,
      lifecycle_stage: 'active',
      run_id: runId,
      run_name: name,
      source_name: "''",
      source_type: 4,
      source_version: "''",
      start_time: startTime,
      status: 3,
      tags: '[]',
      user_id: 'somebody',
    });
    await mkdir(join(runFolder, 'artifacts'), { recursive: true });
    await writeFiles(join(runFolder, 'params'), parameters);
    await writeFiles(join(runFolder, 'tags'), { 'mlflow.runName': name });
    await writeFiles(
      join(runFolder, 'metrics'),
      Object.fromEntries(Object.entries(metrics).map(([key, values]) => [key, metricLines(values)])),
    );
  }
}

/** The lines of a metric's file: time in UTC milliseconds, value, step. */
export function metricLines(values: readonly number[]): string {
  return values.map((value, step) => `${startTime + 1_000 * step} ${value} ${step}\n`).join('');
}

async function writeFields(folder: string, fields: Readonly<Record<string, string | number>>): Promise<void> {
  const lines = Object.entries(fields).map(([key, value]) => `${key}: ${value}\n`);
  await writeFiles(folder, { 'meta.yaml': lines.join('') });
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}
