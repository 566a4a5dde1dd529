import { randomUUID } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  type Dirent,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { detail } from '../../protocol/errorDetails.ts';
import { explainRefusal, SlipwayError } from '../../protocol/errors.ts';
import type { ArtifactEntry } from '../../protocol/tracking.ts';
import { artifactPathOf, artifactSegments, artifactUri, uploadFolder } from './artifactPath.ts';

/**
 * The files that runs and models logged, under one root. Paths are relative to that root, with forward slashes, and
 * obey `artifactSegments`; a symbolic link is followed only as far as it stays inside the root.
 */
export interface ArtifactStore {
  /**
   * Where `path` below a `mlflow-artifacts:/...` URI lies on this machine, absolute. It need not exist.
   *
   * @throws SlipwayError `invalidParameter` when it is no such URI, or leads out of the root.
   */
  resolve(uri: string, path?: string): string;
  /**
   * The entries of the folder `path` below a URI, by name; none when it is a file or not there. Their paths are
   * relative to the URI. Links that lead out of the root are left out.
   */
  list(uri: string, path: string): readonly ArtifactEntry[];
  /** Writes a file, all of it or nothing, and the folders above it; replaces what was there. */
  write(path: string, content: Readable): Promise<void>;
  /**
   * Opens a file. Whoever opens it reads the stream to its end or destroys it.
   *
   * @throws SlipwayError `notFound` when there is no file.
   */
  open(path: string): ArtifactFile;
  /**
   * Removes a file, or a folder with all that is in it. There need not be one.
   *
   * @throws SlipwayError `invalidParameter` when it is the root.
   */
  remove(path: string): void;
  /** The URI of what these segments lead to from the root. */
  locationOf(...segments: readonly string[]): string;
  /** The path, for `open` and `write`, of `path` below a URI. */
  pathOf(uri: string, path: string): string;
}

export interface ArtifactFile {
  /** Last segment of its path. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly content: Readable;
}

const dayMilliseconds = 86_400_000;

/** The artifact store in folder `root`, which need not exist yet. */
export function createArtifactStore(root: string): ArtifactStore {
  const locate = (path: string): string => {
    const target = join(root, ...artifactSegments(path));
    if (!leadsInside(root, target)) throw new SlipwayError('invalidParameter', { detail: 'Invalid path' });
    return target;
  };
  const pathOf = (uri: string, path: string): string => {
    // Each on its own, so that neither can lend the other what it must not have, such as a leading slash.
    const segments = [...artifactSegments(artifactPathOf(uri)), ...artifactSegments(path)];
    return segments.join('/');
  };
  const uploads = join(root, uploadFolder);
  let tidied = false;

  return {
    resolve: (uri, path = '') => locate(pathOf(uri, path)),
    list(uri, path) {
      const folder = locate(pathOf(uri, path));
      const prefix = artifactSegments(path).join('/');
      return entriesIn(folder)
        .filter(({ name }) => name !== uploadFolder || folder !== root)
        .flatMap((entry) => describe(root, folder, prefix, entry))
        .sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    async write(path, content) {
      const target = locate(path);
      if (target === root) throw new SlipwayError('invalidParameter', { detail: 'Invalid path' });
      const upload = join(uploads, randomUUID());
      try {
        // Each time: somebody may have cleared the store away to free the disk.
        mkdirSync(uploads, { recursive: true, mode: 0o700 });
        if (!tidied) removeOldUploads(uploads);
        tidied = true;
        await pipeline(content, createWriteStream(upload, { flags: 'wx', mode: 0o600 }));
        mkdirSync(dirname(target), { recursive: true });
        // A link may have come into being while the content did.
        locate(path);
        renameSync(upload, target);
      } catch (error) {
        rmSync(upload, { force: true });
        throw explain(error, path, root);
      }
    },
    open(path) {
      const target = locate(path);
      const file = openFile(target, path);
      return {
        name: basename(target),
        size: file.size,
        content: createReadStream('', { fd: file.descriptor, autoClose: true }),
      };
    },
    remove(path) {
      const target = locate(path);
      if (target === root) throw new SlipwayError('invalidParameter', { detail: 'Invalid path' });
      if (statusOf(target, statSync) === null) return;
      try {
        rmSync(target, { recursive: true });
      } catch (error) {
        throw explainRefusal(error, root);
      }
    },
    locationOf: (...segments) => artifactUri(segments),
    pathOf,
  };
}

/** Whether a path, followed through its links as far as it exists, is the root or below it. */
function leadsInside(root: string, target: string): boolean {
  const realRoot = realpathOfExisting(root);
  const real = realpathOfExisting(target);
  return real !== null && realRoot !== null && (real === realRoot || real.startsWith(realRoot + sep));
}

/** The real path of a path whose last parts may not exist; null when a link in it is broken or leads in a circle. */
function realpathOfExisting(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (error) {
    if (hasCode(error, 'ELOOP', 'ENAMETOOLONG')) return null;
    if (!isMissing(error)) throw error;
    const parent = dirname(path);
    if (parent === path || statusOf(path, lstatSync)?.isSymbolicLink()) return null;
    const realParent = realpathOfExisting(parent);
    return realParent === null ? null : join(realParent, basename(path));
  }
}

function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** None for what is neither file nor folder, has gone meanwhile, or is a link that leads out. */
function describe(root: string, folder: string, prefix: string, entry: Dirent): ArtifactEntry[] {
  const file = join(folder, entry.name);
  if (entry.isSymbolicLink() && !leadsInside(root, file)) return [];
  const found = statusOf(file, statSync);
  if (!found || !(found.isFile() || found.isDirectory())) return [];
  const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
  return [{ path, isDirectory: found.isDirectory(), size: found.isDirectory() ? 0 : found.size }];
}

function openFile(target: string, path: string): { readonly descriptor: number; readonly size: number } {
  let descriptor: number;
  try {
    // A pipe or a device would block or never end, so what it is comes first.
    if (!statSync(target).isFile()) throw missing(path);
    descriptor = openSync(target, 'r');
  } catch (error) {
    if (isMissing(error)) throw missing(path);
    throw error;
  }
  try {
    return { descriptor, size: fstatSync(descriptor).size };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Removes what a day ago an engine that died left in the folder for uploads. */
function removeOldUploads(folder: string): void {
  for (const { name } of entriesIn(folder)) {
    const file = join(folder, name);
    const found = statusOf(file, statSync);
    if (found && found.mtimeMs < Date.now() - dayMilliseconds) rmSync(file, { recursive: true, force: true });
  }
}

function explain(error: unknown, path: string, root: string): unknown {
  if (hasCode(error, 'EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY')) {
    return new SlipwayError(
      'invalidParameter',
      { detail: `The artifact '${path}' cannot be written: a folder and a file cannot have one name.` },
      { cause: error },
    );
  }
  return explainRefusal(error, root);
}

function missing(path: string): SlipwayError {
  return new SlipwayError('notFound', { detail: detail('noArtifact', { path }) });
}

/** Null when there is nothing at the path, not even a folder that it could be in. */
function statusOf(path: string, look: (path: string) => Stats): Stats | null {
  try {
    return look(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ENOTDIR');
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}
