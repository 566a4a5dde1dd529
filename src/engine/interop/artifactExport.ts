import { copyFile, mkdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { Omission } from './store.ts';

/**
 * Copies all that lies below `uri` into a folder, which is made. Nothing when it does not lie among the store's artifacts.
 *
 * @param subject whose artifacts they are, for what is omitted.
 * @throws SlipwayError `cancelled`
 */
export async function exportArtifacts(
  artifacts: ArtifactStore,
  uri: string,
  folder: string,
  subject: string,
  signal: AbortSignal,
): Promise<{ readonly artifacts: number; readonly omissions: readonly Omission[] }> {
  await mkdir(folder, { recursive: true });
  if (!uri.startsWith('mlflow-artifacts:')) {
    return {
      artifacts: 0,
      omissions: [{ subject: `${subject}/artifacts`, reason: 'filesRemote', values: { location: uri } }],
    };
  }
  let count = 0;
  const copyFolder = async (path: string): Promise<void> => {
    for (const entry of artifacts.list(uri, path)) {
      if (signal.aborted) throw new SlipwayError('cancelled');
      const target = join(folder, ...entry.path.split('/'));
      if (entry.isDirectory) {
        await mkdir(target, { recursive: true });
        await copyFolder(entry.path);
        continue;
      }
      const source = artifacts.resolve(uri, entry.path);
      await copyFile(source, target);
      const { atime, mtime } = await stat(source);
      await utimes(target, atime, mtime);
      count += 1;
    }
  };
  await copyFolder('');
  return { artifacts: count, omissions: [] };
}
