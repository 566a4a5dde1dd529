import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import { run } from '../toolchain/command.ts';

/** An engine in this process, over a copy of the sample project, and the project's Python scripts beside it. */
export interface SampleEngine {
  readonly engine: Engine;
  /** Runs a script of the project as a terminal of the editor would, and gives what it printed. */
  python(script: string, ...args: readonly string[]): Promise<string>;
  /** Calls the MLflow REST dialect as a client does. */
  call(method: 'POST' | 'PATCH', path: string, body: object): Promise<void>;
}

const token = 'token-of-the-sample';

/** Opens an engine over a copy of the sample project. The caller closes it. */
export async function openSampleEngine(workspace: string, interpreter = 'python3'): Promise<SampleEngine> {
  const engine = await openEngine({
    workspace,
    host: '127.0.0.1',
    port: 0,
    token,
    trusted: true,
    scripts: {
      scorer: join(repository, 'src', 'scorer', 'main.ts'),
      worker: join(repository, 'src', 'worker', 'main.ts'),
    },
  });
  const { address } = engine;
  assert.ok(address);
  const env = {
    ...process.env,
    MLFLOW_TRACKING_URI: address.url,
    MLFLOW_TRACKING_TOKEN: token,
    MLFLOW_DISABLE_TELEMETRY: 'true',
    // Whom the runs are said to be by, where the operating system would say somebody's name.
    LOGNAME: 'sample',
  };
  return {
    engine,
    python: (script, ...args) => run(interpreter, [script, ...args], { cwd: workspace, env }),
    async call(method, path, body) {
      const response = await fetch(new URL(`/api/2.0/mlflow/${path}`, address.url), {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    },
  };
}
