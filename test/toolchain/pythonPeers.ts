import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, repository } from './cacheFolder.ts';
import { run } from './command.ts';

const commands = [
  ...['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'],
  // The system's own, which others may hide.
  '/usr/bin/python3',
];

interface Environment {
  /** A file in `test/`. */
  readonly requirements: string;
  /** A module that the Python has already, and shares with the environment, as no registry has it in a bearable size. */
  readonly shared: string | null;
}

export type PythonVariable =
  | 'SLIPWAY_TEST_PYTHON'
  | `SLIPWAY_TEST_PYTHON_${'MLFLOW2' | 'TRACKERS' | 'SERVING' | 'PYTORCH'}`;

/** Virtual environments by the variable that names their interpreter. */
const environments: Readonly<Record<PythonVariable, Environment>> = {
  SLIPWAY_TEST_PYTHON: { requirements: 'requirements.txt', shared: null },
  SLIPWAY_TEST_PYTHON_MLFLOW2: { requirements: 'requirements-mlflow2.txt', shared: null },
  SLIPWAY_TEST_PYTHON_TRACKERS: { requirements: 'requirements-trackers.txt', shared: null },
  SLIPWAY_TEST_PYTHON_SERVING: { requirements: 'requirements-serving.txt', shared: null },
  SLIPWAY_TEST_PYTHON_PYTORCH: { requirements: 'requirements-pytorch.txt', shared: 'torch' },
};

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
  const { requirements, shared } = environments[variable];
  const base = await suitablePython(shared);
  if (base === null) {
    const wanted = shared === null ? 'No Python 3.10 or newer' : `No Python 3.10 or newer that has ${shared}`;
    console.log(`${wanted} was found: the tests of ${requirements} are skipped.`);
    return null;
  }
  const file = join(repository, 'test', requirements);
  const key = createHash('sha256')
    .update(await readFile(file))
    .update(base.version)
    .digest('hex')
    .slice(0, 12);
  const folder = join(cacheFolder, `python-${key}`);
  const python =
    process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return python;
  console.log(`Installing ${requirements} into ${folder} (Python ${base.version}); this happens once`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const sharing = shared === null ? [] : ['--system-site-packages'];
  await run(base.executable, ['-m', 'venv', ...sharing, folder]);
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check'];
  await run(python, ['-m', 'pip', 'install', ...quiet, '-r', file], { show: true });
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

async function suitablePython(shared: string | null): Promise<Python | null> {
  const script = `import sys${shared === null ? '' : `, ${shared}`}; print(*sys.version_info[:2], sys.executable)`;
  for (const command of commands) {
    const answer = await run(command, ['-c', script]).catch(() => null);
    const match = answer === null ? null : /^(\d+) (\d+) (.+)$/.exec(answer.trim());
    if (!match) continue;
    const [, major, minor, executable] = match;
    if (Number(major) === 3 && Number(minor) >= 10 && executable) {
      return { executable, version: `${major}.${minor}` };
    }
  }
  return null;
}
