import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The paths of files and folders that arguments may name: each argument, and what stands behind its `=`.
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

/** The file or folder that a dataset's source names, when it is one of this machine. Sources are JSON such as `{"uri": "a.csv"}`. */
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
