import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, repository } from './cacheFolder.ts';
import { run } from './command.ts';

const commands = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

const versionScript = 'import sys; print(*sys.version_info[:2], sys.executable)';

/**
 * The Python with the peers of `test/requirements.txt`: the one named in `SLIPWAY_TEST_PYTHON`, else a virtual
 * environment that is made once for each content of that file. Says why when there is none.
 *
 * @returns the absolute path of the interpreter, or null.
 */
export async function pythonPeers(): Promise<string | null> {
  const named = process.env.SLIPWAY_TEST_PYTHON;
  if (named) return named;
  const base = await suitablePython();
  if (base === null) {
    console.log('No Python 3.10 or newer was found: the tests with Python peers are skipped.');
    return null;
  }
  const requirements = join(repository, 'test', 'requirements.txt');
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
  console.log(`Installing the Python peers into ${folder} (Python ${base.version}); this happens once`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await run(base.executable, ['-m', 'venv', folder]);
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check'];
  await run(python, ['-m', 'pip', 'install', ...quiet, '-r', requirements], { show: true });
  await writeFile(complete, '');
  return python;
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
