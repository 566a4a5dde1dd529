import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The absolute path of the first of these commands that is on the PATH, or null. */
export function commandOnPath(...commands: readonly string[]): string | null {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = commands.flatMap((command) =>
    folders.flatMap((folder) => suffixes.map((suffix) => join(folder, command + suffix))),
  );
  return candidates.find(isExecutable) ?? null;
}

/** Whether this file is there and may be executed. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
