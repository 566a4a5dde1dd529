import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

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
    const child = spawn(python, ['-'], {
      cwd: folder,
      timeout: patience,
      env: {
        ...process.env,
        MLFLOW_TRACKING_URI: engine.url,
        MLFLOW_TRACKING_TOKEN: engine.token,
        // A wrong answer should fail the test now, not after minutes of patience.
        MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
        MPLBACKEND: 'Agg',
        PYTHONWARNINGS: 'ignore',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(script);
    const [output, errors, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', resolve);
      }),
    ]);
    if (code !== 0) throw new Error(`The script ended with ${code}:\n${errors.slice(-6000)}`);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
