import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { environmentOf, openTerminal } from '../journey/terminal.ts';
import type { Workbench } from '../workbench/workbench.ts';

const createdRun = z.object({ run: z.object({ info: z.object({ run_id: z.string() }) }) });
const createdExperiment = z.object({ experiment_id: z.string() });

const program = '5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e';
const pointCount = 120;
const seconds = 1000;

/** Of each metric the value at a point from 0 to 1 of the training. */
const curves: Readonly<Record<string, (at: number, noise: number) => number>> = {
  val_loss: (at, noise) => 0.35 + 0.4 * Math.exp(-5 * at) + 0.01 * noise,
  'system/cpu_utilization_percentage': (_, noise) => 78 + 12 * noise,
  'system/system_memory_usage_megabytes': (at, noise) => 9_800 + 4_200 * at + 90 * noise,
  'system/system_memory_usage_percentage': (at, noise) => 30 + 13 * at + 0.3 * noise,
  'system/disk_usage_percentage': (at) => 61.2 + 0.4 * at,
  'system/disk_usage_megabytes': (at) => 288_000 + 1_900 * at,
  'system/network_receive_megabytes': (at, noise) => 42 * at + 0.2 * noise,
  'system/network_transmit_megabytes': (at) => 3.5 * at,
};

/** Opens a terminal for a look at the workspace folder and the engine that it knows. */
export async function lookAround(
  workbench: Workbench,
): Promise<{ readonly folder: string; readonly url: string; readonly token: string }> {
  await openTerminal(workbench);
  const { PWD, MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN } = await environmentOf(workbench);
  await workbench.runCommand('Terminal: Kill the Active Terminal Instance');
  assert.ok(PWD && MLFLOW_TRACKING_URI && MLFLOW_TRACKING_TOKEN);
  return { folder: PWD, url: MLFLOW_TRACKING_URI, token: MLFLOW_TRACKING_TOKEN };
}

/** Logs a run with system metrics as a script in a terminal does, in a repository with a change. */
export async function logTerminalRun(workbench: Workbench, name: string): Promise<void> {
  const { folder, url, token } = await lookAround(workbench);
  await prepare(folder);
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(`${url}/api/2.0/${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'x-slipway-program': program,
      },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, path);
    return answer.json();
  };
  await post('slipway/programs', {
    program,
    kind: 'script',
    entry_point: join(folder, 'train.py'),
    command: ['python', 'train.py', '--data', 'seasons', '--holidays=holidays.csv', '--api-key', '***'],
    folder,
    python_version: '3.13.2',
    python_implementation: 'CPython',
    python_executable: join(folder, '.venv', 'bin', 'python'),
    search_path: [join(folder, '.venv')],
    prefix: join(folder, '.venv'),
  });
  const experiment = createdExperiment.parse(await post('mlflow/experiments/create', { name: 'holidays' }));
  const startTime = Date.now() - pointCount * seconds;
  const { run } = createdRun.parse(
    await post('mlflow/runs/create', { ...experiment, run_name: name, start_time: startTime }),
  );
  const { run_id } = run.info;
  await post('mlflow/runs/log-batch', {
    run_id,
    params: [{ key: 'holidays', value: 'true' }],
    metrics: Object.entries(curves).flatMap(([key, valueAt]) => points(key, valueAt, startTime)),
  });
  await post('mlflow/runs/update', { run_id, status: 'FINISHED', end_time: Date.now() });
}

function points(key: string, valueAt: (at: number, noise: number) => number, startTime: number): object[] {
  return Array.from({ length: pointCount }, (_, step) => ({
    key,
    value: valueAt(step / pointCount, Math.sin(step * 12.9898) * Math.cos(step * 4.1)),
    step,
    timestamp: startTime + step * seconds,
  }));
}

/** Makes the project a repository with a change, with data and packages. */
async function prepare(folder: string): Promise<void> {
  const files = {
    '.gitignore': '.slipway\n.venv\n',
    'holidays.csv': 'day\n2026-01-01\n',
    'seasons/summer.csv': 'day,delay\n172,12\n',
    'seasons/winter.csv': 'day,delay\n3,41\n',
  };
  await mkdir(join(folder, 'seasons'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  for (const name of ['mlflow-3.17.2', 'numpy-2.3.4', 'onnx-1.23.2', 'scikit_learn-1.9.1']) {
    await mkdir(join(folder, '.venv', `${name}.dist-info`), { recursive: true });
  }
  const identity = ['-c', 'user.name=Ana', '-c', 'user.email=ana@example.com', '-c', 'commit.gpgSign=false'];
  for (const args of [
    ['init', '--quiet', '--initial-branch=holidays'],
    ['add', '.'],
    ['commit', '--quiet', '--message=Flights'],
    ['remote', 'add', 'origin', 'https://git.example.com/ana/flights.git'],
  ]) {
    execFileSync('git', [...identity, ...args], { cwd: folder });
  }
  await writeFile(join(folder, 'holidays.py'), 'days = ["2026-01-01"]\n');
}
