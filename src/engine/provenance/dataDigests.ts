import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { DataFile } from '../../protocol/provenance.ts';
import { type FolderBounds, type FolderFile, filesBelow } from './folderFiles.ts';

/** The size and content of a file or folder at one moment. */
export type DataDigest = Pick<DataFile, 'size' | 'fileCount' | 'digest' | 'isTooLarge'>;

export interface DataDigests {
  /**
   * Null when there is neither a regular file nor a folder with files.
   *
   * The digest of a file is the SHA-256 of its content. That of a folder is the SHA-256 of a line for each regular file
   * below it, ordered by name: the name (relative, with forward slashes), a NUL character, the size in bytes, a NUL
   * character, and the file's own digest.
   *
   * @param since by `performance.now()`: nothing is looked at again that was looked at from then on, as where a program
   * begins many runs one after the other
   */
  digestOf(path: string, since: number, signal: AbortSignal): Promise<DataDigest | null>;
}

/** Reading more would keep the disk busy for longer than it is worth. */
const bounds: FolderBounds = { entries: 10_000, size: 2 * 1024 * 1024 * 1024 };
const mostRemembered = 1000;

/** Digests of files and folders; one that did not change since is not read again. */
export function createDataDigests(): DataDigests {
  const remembered = new Map<string, string>();
  const looks = new Map<string, { readonly began: number; readonly found: DataDigest | null }>();
  /** What was made of something before, else what is made of it now. */
  const once = async (mark: string, make: () => Promise<string | null>): Promise<string | null> => {
    const known = remembered.get(mark);
    if (known !== undefined) return known;
    const digest = await make();
    if (digest === null) return null;
    remember(remembered, mark, digest);
    return digest;
  };
  const digestOfFolder = async (path: string, signal: AbortSignal): Promise<DataDigest | null> => {
    const found = await filesBelow(path, bounds, signal).catch(() => null);
    if (found === null) return { size: 0, fileCount: 0, digest: null, isTooLarge: false };
    const { files, size, isTooLarge } = found;
    if (files.length === 0 && !isTooLarge) return null;
    const fileCount = files.length;
    if (isTooLarge) return { size, fileCount, digest: null, isTooLarge };
    const digest = await once(markOfFiles(files), () => digestOfFiles(files, signal));
    return { size, fileCount, digest, isTooLarge };
  };

  const lookAt = async (path: string, signal: AbortSignal): Promise<DataDigest | null> => {
    // Anything but a regular file could keep whoever opens it waiting.
    const status = await stat(path, { bigint: true }).catch(() => null);
    if (status?.isDirectory()) return digestOfFolder(path, signal);
    if (!status?.isFile()) return null;
    const size = Number(status.size);
    const isTooLarge = size > bounds.size;
    const digest = isTooLarge ? null : await once(markOf(path, status), () => sha256(path, size, signal));
    return { size, fileCount: null, digest, isTooLarge };
  };

  return {
    async digestOf(path, since, signal) {
      const last = looks.get(path);
      if (last && last.began >= since) return last.found;
      const began = performance.now();
      const found = await lookAt(path, signal);
      remember(looks, path, { began, found });
      return found;
    },
  };
}

function remember<Value>(all: Map<string, Value>, key: string, value: Value): void {
  if (all.size >= mostRemembered) all.clear();
  all.set(key, value);
}

/** Another one when the content is another one, as far as the file system tells. */
function markOf(path: string, { size, mtimeNs, ino }: BigIntStats): string {
  return JSON.stringify([path, String(size), String(mtimeNs), String(ino)]);
}

function markOfFiles(files: readonly FolderFile[]): string {
  const hash = createHash('sha256');
  for (const { path, status } of files) hash.update(markOf(path, status));
  return hash.digest('hex');
}

/** Null when one of them cannot be read to its end. */
async function digestOfFiles(files: readonly FolderFile[], signal: AbortSignal): Promise<string | null> {
  const hash = createHash('sha256');
  for (const { name, path, status } of files) {
    const size = Number(status.size);
    const digest = await sha256(path, size, signal);
    if (digest === null) return null;
    hash.update(`${name}\0${size}\0${digest}\n`);
  }
  return hash.digest('hex');
}

/** Null when it cannot be read to its end. */
async function sha256(path: string, size: number, signal: AbortSignal): Promise<string | null> {
  const hash = createHash('sha256');
  if (size === 0) return hash.digest('hex');
  // A file that grows meanwhile is taken as it was.
  const stream = createReadStream(path, { end: size - 1, highWaterMark: 1024 * 1024, signal });
  try {
    for await (const piece of stream) hash.update(piece);
    return hash.digest('hex');
  } catch {
    return null;
  }
}
