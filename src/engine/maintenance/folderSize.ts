import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stopWhenCancelled } from './parts.ts';

export interface FolderSize {
  readonly files: number;
  readonly bytes: number;
}

/** What lies at a path and below it; nothing when there is nothing. Links are counted, not followed. */
export async function folderSize(path: string, signal?: AbortSignal): Promise<FolderSize> {
  if (signal) stopWhenCancelled(signal);
  const found = await lstat(path).catch(() => null);
  if (found === null) return { files: 0, bytes: 0 };
  if (!found.isDirectory()) return { files: 1, bytes: found.size };
  let files = 0;
  let bytes = 0;
  // One after the other: a folder may hold very many, and the engine's other file work must not wait behind them.
  for (const { name } of await entriesOf(path)) {
    const size = await folderSize(join(path, name), signal);
    files += size.files;
    bytes += size.bytes;
  }
  return { files, bytes };
}

/** The entries of a folder; none when it is not there (any more) or cannot be read. */
export async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}
