import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, repository } from './cacheFolder.ts';
import { run } from './command.ts';

const commands = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

const versionScript = 'import sys; print(*sys.version_info[:2], sys.executable)';

/** Virtual environments by the variable that names their interpreter; each has a file of requirements in `test/`. */
const environments = {
  SLIPWAY_TEST_PYTHON: 'requirements.txt',
  SLIPWAY_TEST_PYTHON_MLFLOW2: 'requirements-mlflow2.txt',
  SLIPWAY_TEST_PYTHON_TRACKERS: 'requirements-trackers.txt',
  SLIPWAY_TEST_PYTHON_SERVING: 'requirements-serving.txt',
} as const;

export type PythonVariable = keyof typeof environments;

/** Every environment of the tests. Empty, and the reason is printed, when there is no Python to make them with. */
export async function allPythonPeers(): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const variable of Object.keys(environments)) {
    const python = isPythonVariable(variable) ? await pythonPeers(variable) : null;
    if (python !== null) found[variable] = python;
  }
  return found;
}

/**
 * The Python with peers of the tests: the one named in `variable`, else a virtual environment that is made once for
 * each content of its file of requirements. Says why when there is none.
 *
 * @returns the absolute path of the interpreter, or null.
 */
export async function pythonPeers(variable: PythonVariable = 'SLIPWAY_TEST_PYTHON'): Promise<string | null> {
  const named = process.env[variable];
  if (named) return named;
  const base = await suitablePython();
  if (base === null) {
    console.log('No Python 3.10 or newer was found: the tests with Python peers are skipped.');
    return null;
  }
  const requirements = join(repository, 'test', environments[variable]);
  const key = createHash('sha256')
    .update(await readFile(requirements))
    .update(base.version)
    .digest('hex')
    .slice(0, 12);
  const folder = join(cacheFolder, `python-${key}`);
  const python =
    process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return python;
  console.log(
    `Installing ${environments[variable]} into ${folder} (Python ${base.version}); this happens once`,
  );
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await run(base.executable, ['-m', 'venv', folder]);
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check'];
  await run(python, ['-m', 'pip', 'install', ...quiet, '-r', requirements], { show: true });
  await writeFile(complete, '');
  return python;
}

function isPythonVariable(name: string): name is PythonVariable {
  return name in environments;
}

interface Python {
  readonly executable: string;
  /** Such as `3.11`. */
  readonly version: string;
}

async function suitablePython(): Promise<Python | null> {
  for (const command of commands) {
    const answer = await run(command, ['-c', versionScript]).catch(() => null);
    const match = answer === null ? null : /^(\d+) (\d+) (.+)$/.exec(answer.trim());
    if (!match) continue;
    const [, major, minor, executable] = match;
    if (Number(major) === 3 && Number(minor) >= 10 && executable) {
      return { executable, version: `${major}.${minor}` };
    }
  }
  return null;
}
