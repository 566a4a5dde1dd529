import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The size and content of a file at one moment. */
export interface FileDigest {
  /** Bytes. */
  readonly size: number;
  /** SHA-256 in hexadecimal; null when the file is larger than what is read, or cannot be read. */
  readonly digest: string | null;
}

export interface FileDigests {
  /** Null when there is no such regular file. */
  digestOf(path: string, signal: AbortSignal): Promise<FileDigest | null>;
}

/** Reading more would keep the disk busy for longer than it is worth. */
const largestFile = 2 * 1024 * 1024 * 1024;
const mostRemembered = 1000;

/** Digests of files; one that did not change since is not read again. */
export function createFileDigests(): FileDigests {
  const remembered = new Map<string, string>();
  return {
    async digestOf(path, signal) {
      // Anything but a regular file could keep whoever opens it waiting.
      const status = await stat(path, { bigint: true }).catch(() => null);
      if (status === null || !status.isFile()) return null;
      const key = JSON.stringify([path, String(status.size), String(status.mtimeNs), String(status.ino)]);
      const size = Number(status.size);
      const digest = remembered.get(key) ?? (size > largestFile ? null : await sha256(path, size, signal));
      if (digest !== null) {
        if (remembered.size >= mostRemembered) remembered.clear();
        remembered.set(key, digest);
      }
      return { size, digest };
    },
  };
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

/**
 * The paths of files that arguments may name: each argument, and what stands behind its `=`.
 *
 * @param command the interpreter and the script first
 * @param folder where relative paths begin
 */
export function pathsInCommand(command: readonly string[], folder: string): readonly string[] {
  const candidates = command.slice(1).flatMap((argument) => {
    const value = /^[-+\w.]+=(.+)$/s.exec(argument)?.[1];
    return value === undefined ? [argument] : [value, argument];
  });
  return candidates
    .filter((text) => !text.startsWith('-'))
    .map((text) => localPath(text, folder))
    .filter((path) => path !== null);
}

/** The file that a dataset's source names, when it is one of this machine. Sources are JSON such as `{"uri": "a.csv"}`. */
export function pathOfSource(source: unknown, folder: string): string | null {
  if (typeof source !== 'object' || source === null || !('uri' in source)) return null;
  return typeof source.uri === 'string' ? localPath(source.uri, folder) : null;
}

/** Null for what is no path of this machine: another scheme, or a share of another machine. */
function localPath(text: string, folder: string): string | null {
  if (text === '' || text.length > 4096 || text.includes('\0')) return null;
  if (/^(\\\\|\/\/)/.test(text)) return null;
  const url = /^file:(?:\/\/(?:localhost)?)?\/(?!\/)(.*)$/is.exec(text);
  if (url) return pathOfUrl(`file:///${url[1]}`);
  if (/^[a-z][a-z0-9+.-]+:/i.test(text) && !isAbsolute(text)) return null;
  return resolve(folder, text);
}

function pathOfUrl(url: string): string | null {
  try {
    return fileURLToPath(url);
  } catch {
    // Not every text after "file:" is an address.
    return null;
  }
}
