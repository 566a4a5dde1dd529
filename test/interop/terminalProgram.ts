import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';

/** What a terminal of the editor knows of an engine. */
export interface TerminalOfEngine {
  readonly url: string;
  readonly token: string;
}

export interface EndedProgram {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** The folder that terminals put first on Python's search path. */
export const pythonFolder = join(import.meta.dirname, '../../src/python');

/** The variables of a terminal; `pythonPath` is what the person had in PYTHONPATH. */
export function terminalVariables({ url, token }: TerminalOfEngine, pythonPath = ''): NodeJS.ProcessEnv {
  return {
    ...process.env,
    MLFLOW_TRACKING_URI: url,
    MLFLOW_TRACKING_TOKEN: token,
    MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT: 'true',
    SLIPWAY_ENGINE_URL: url,
    PYTHONPATH: `${pythonFolder}${delimiter}${pythonPath}`,
    PYTHONDONTWRITEBYTECODE: '1',
    GIT_PYTHON_REFRESH: 'quiet',
  };
}

/** Runs a program to its end, or for `timeout` milliseconds; `input` is what it reads. */
export async function runProgram(
  command: string,
  args: readonly string[],
  {
    input,
    ...options
  }: {
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
    readonly input?: string;
    readonly timeout?: number;
  },
): Promise<EndedProgram> {
  const child = spawn(command, args, options);
  // A program that fails early reads no more.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, output, errors };
}
