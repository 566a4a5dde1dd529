import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { ArtifactOwner, ImportedArtifact, ImportOmission } from '../../protocol/importing.ts';

/**
 * Yields every file below `folder`, in the order of their names, as artifacts of `owner`. Links are followed only as far
 * as they stay inside `root`; those that lead out are yielded as omissions, under `subject` and their path. None when
 * there is no such folder.
 */
export async function* artifactFiles(
  owner: ArtifactOwner,
  folder: string,
  root: string,
  subject: string,
): AsyncIterable<ImportedArtifact | ImportOmission> {
  const realRoot = await realpathOf(root);
  if (realRoot === null) return;

  async function* walk(
    path: string,
    ancestors: readonly string[],
  ): AsyncIterable<ImportedArtifact | ImportOmission> {
    const at = join(folder, path);
    const real = await realpathOf(at);
    // A link to a folder above would lead round in a circle.
    if (real === null || realRoot === null || !isInside(real, realRoot) || ancestors.includes(real)) {
      if (real !== null) {
        const link = path === '' ? subject : `${subject}/${path}`;
        yield { type: 'omission', subject: link, reason: 'leadsOutside', values: {} };
      }
      return;
    }
    for (const entry of await entriesOf(real)) {
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      const found = entry.isSymbolicLink() ? await kindOf(join(folder, below)) : entry;
      if (found?.isDirectory()) yield* walk(below, [...ancestors, real]);
      else if (found?.isFile()) {
        const file = await realpathOf(join(real, entry.name));
        if (file !== null && isInside(file, realRoot)) {
          yield { type: 'artifact', owner, path: below, file, root: realRoot };
        } else if (file !== null) {
          yield { type: 'omission', subject: `${subject}/${below}`, reason: 'leadsOutside', values: {} };
        }
      } else if (entry.isSymbolicLink()) {
        const values = { detail: 'the link leads nowhere' };
        yield { type: 'omission', subject: `${subject}/${below}`, reason: 'unreadable', values };
      }
    }
  }

  yield* walk('', []);
}

/** Whether a real path is a folder or lies below it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** The path with its links followed; null when it is not there or leads in a circle. */
export async function realpathOf(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function kindOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP')
  );
}
