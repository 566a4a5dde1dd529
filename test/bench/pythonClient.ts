import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Calls per second of the real MLflow client in one Python script. */
export interface PythonRates {
  readonly batches: number;
  readonly metrics: number;
  readonly runs: number;
}

const script = join(import.meta.dirname, '../fixtures/python/clientRates.py');

/** Lets a script log to the server at `url` for some seconds. */
export function pythonClientRates(python: string, url: string): PythonRates {
  const run = spawnSync(python, [script, url], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  // The client says of each run where it can be seen; the rates come last.
  return JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '');
}
