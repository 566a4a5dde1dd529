import { readdir } from 'node:fs/promises';
import type { InstalledPackage } from '../../protocol/provenance.ts';

/** `name-version.dist-info`, or `name-version-py3.11.egg-info`: https://packaging.python.org/specifications */
const metadataName = /^(?<name>.+?)-(?<version>\d[^-]*)(-py[\d.]+)?\.(dist-info|egg-info)$/;

/**
 * The packages that a Python interpreter finds, by name: the first of each name on its search path.
 *
 * Read from the names of the folders with their metadata, so that the program need not spend time on it.
 */
export async function installedPackages(searchPath: readonly string[]): Promise<readonly InstalledPackage[]> {
  const found = new Map<string, string>();
  for (const folder of new Set(searchPath)) {
    for (const entry of await namesIn(folder)) {
      const match = metadataName.exec(entry);
      const name = normalName(match?.groups?.name ?? '');
      if (name !== '' && !found.has(name)) found.set(name, match?.groups?.version ?? '');
    }
  }
  return [...found]
    .map(([name, version]) => ({ name, version }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** A search path may name archives, and folders that are not there. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return folder === '' ? [] : readdir(folder).catch(() => []);
}

/** Names are compared in this form: https://packaging.python.org/en/latest/specifications/name-normalization/ */
function normalName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}
