import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';

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

/** Runs a program to its end. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<EndedProgram> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code] = await once(child, 'close');
  return { code, output, errors };
}
