import { createHash } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
import { lstat, open, realpath, stat, utimes } from 'node:fs/promises';
import { sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ImportedArtifact, ImportedArtifactContent, OmissionReason } from '../../protocol/importing.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';

/** What became of a file that was to be copied. */
export type ArtifactCopy =
  | { readonly outcome: 'copied' | 'same' }
  | {
      readonly outcome: 'omitted';
      readonly reason: OmissionReason;
      readonly values: Readonly<Record<string, string>>;
    };

/**
 * Copies a file among the artifacts below `uri`, all of it or nothing. One that is there already is left when it is the same;
 * a newer one of the source takes its place, an older one does not.
 */
export async function copyArtifact(
  artifacts: ArtifactStore,
  uri: string,
  { file, path, root }: Pick<ImportedArtifact, 'file' | 'path' | 'root'>,
): Promise<ArtifactCopy> {
  let target: string;
  try {
    target = artifacts.resolve(uri, path);
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    const detail = `its name is not one that an artifact may have (${error.message})`;
    return { outcome: 'omitted', reason: 'invalidValue', values: { detail } };
  }
  try {
    const real = await realpath(file);
    if (!(await isBelow(real, root))) return { outcome: 'omitted', reason: 'leadsOutside', values: {} };
    const source = await stat(real);
    const there = await statusOf(target);
    if (there !== null && (await isSame(real, source, target, there))) {
      // Written by an import that was ended before it could say when.
      if (there.mtimeMs !== source.mtimeMs) await utimes(target, source.atime, source.mtime);
      return { outcome: 'same' };
    }
    if (there !== null && there.mtimeMs >= source.mtimeMs) {
      const values = { here: `of ${there.mtime.toISOString()}`, there: `of ${source.mtime.toISOString()}` };
      return { outcome: 'omitted', reason: 'conflict', values };
    }
    // Not through a link: its place may have been taken by one since it was looked at.
    const handle = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    await artifacts.write(artifacts.pathOf(uri, path), handle.createReadStream());
    await utimes(target, source.atime, source.mtime);
    return { outcome: 'copied' };
  } catch (error) {
    if (error instanceof SlipwayError && error.kind !== 'invalidParameter') throw error;
    return { outcome: 'omitted', reason: 'unreadable', values: { detail: messageOf(error) } };
  }
}

/**
 * Writes a file whose bytes came with it, all of it or nothing. One that is there already with other bytes stays, unless it
 * is said to be replaced.
 */
export async function writeArtifactContent(
  artifacts: ArtifactStore,
  uri: string,
  { path, content, replaces = false }: Pick<ImportedArtifactContent, 'path' | 'content' | 'replaces'>,
): Promise<ArtifactCopy> {
  try {
    const target = artifacts.resolve(uri, path);
    const there = await statusOf(target);
    if (there !== null) {
      const isSameContent =
        there.isFile() &&
        there.size === content.length &&
        (await digestOf(target)) === digestOfBytes(content);
      if (isSameContent) return { outcome: 'same' };
      if (!replaces) {
        const values = { here: `${there.size} bytes`, there: `${content.length} bytes` };
        return { outcome: 'omitted', reason: 'conflict', values };
      }
    }
    await artifacts.write(artifacts.pathOf(uri, path), Readable.from([content]));
    return { outcome: 'copied' };
  } catch (error) {
    if (error instanceof SlipwayError && error.kind !== 'invalidParameter') throw error;
    return { outcome: 'omitted', reason: 'invalidValue', values: { detail: messageOf(error) } };
  }
}

async function isBelow(real: string, root: string): Promise<boolean> {
  const realRoot = await realpath(root);
  return real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep);
}

async function statusOf(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return null;
    throw error;
  }
}

async function isSame(file: string, source: Stats, target: string, there: Stats): Promise<boolean> {
  if (!there.isFile() || source.size !== there.size) return false;
  // File systems keep times with different precision.
  if (Math.abs(source.mtimeMs - there.mtimeMs) < 2) return true;
  return (await digestOf(file)) === (await digestOf(target));
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function digestOfBytes(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
