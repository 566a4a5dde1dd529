import { access, constants } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { SlipwayError } from '../protocol/errors.ts';

/**
 * The absolute path of a Python interpreter: the one that was named, else that of the active virtual environment, else
 * the first on the search path.
 *
 * @throws SlipwayError `notFound`.
 */
export async function findInterpreter(named: string | undefined): Promise<string> {
  const windows = process.platform === 'win32';
  const names = windows ? ['python.exe'] : ['python3', 'python'];
  const { VIRTUAL_ENV: environment, PATH: path = '' } = process.env;
  const folders = [
    ...(environment ? [join(environment, windows ? 'Scripts' : 'bin')] : []),
    ...path.split(delimiter).filter((folder) => folder !== ''),
  ];
  const candidates =
    named === undefined ? folders.flatMap((folder) => names.map((name) => join(folder, name))) : [named];
  for (const candidate of candidates) {
    const file = resolve(candidate);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  const detail =
    named === undefined ? 'There is no Python on the search path.' : `There is no Python at ${named}.`;
  throw new SlipwayError('notFound', { detail });
}
