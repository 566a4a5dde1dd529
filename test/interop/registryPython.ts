import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './terminalProgram.ts';

const patience = 240_000;

/**
 * Runs a Python script against an engine, as a training script in a terminal is run: only the two variables that the
 * extension sets point to it. Gives what it printed last, parsed as JSON; throws with its error output when it failed.
 */
export async function runPython(
  python: string,
  script: string,
  engine: { readonly url: string; readonly token: string },
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-python-'));
  try {
    const { code, output, errors } = await runProgram(python, ['-'], {
      input: script,
      timeout: patience,
      cwd: folder,
      env: {
        ...process.env,
        MLFLOW_TRACKING_URI: engine.url,
        MLFLOW_TRACKING_TOKEN: engine.token,
        // A wrong answer should fail the test now, not after minutes of patience.
        MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
        MPLBACKEND: 'Agg',
        PYTHONWARNINGS: 'ignore',
        GIT_PYTHON_REFRESH: 'quiet',
      },
    });
    if (code !== 0) throw new Error(`The script ended with ${code}:\n${errors.slice(-6000)}`);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
