import { type Dirent, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportOmission } from '../../protocol/importing.ts';
import type { KeyValue } from '../../protocol/tracking.ts';

const largestValueBytes = 1024 * 1024;

/** Values that lie one in each file, with the file's path as key, and what could not be read of them. */
export interface KeyedFiles {
  readonly values: readonly KeyValue[];
  readonly omissions: readonly ImportOmission[];
}

/**
 * The paths of all files below a folder, with forward slashes, sorted; none when it is not there or a link. Links are left
 * out: a source may have been made by anybody, and they could lead to anything on this machine.
 */
export function filesBelow(folder: string, prefix = ''): readonly string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) return filesBelow(join(folder, entry.name), path);
    return entry.isFile() ? [path] : [];
  });
}

/** The paths of the links below a folder, as `filesBelow` gives files; `skip` says by name which folders are not looked at. */
export function linksBelow(folder: string, skip: string, prefix = ''): readonly string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.name === skip) return [];
    if (entry.isDirectory()) return linksBelow(join(folder, entry.name), skip, path);
    return entry.isSymbolicLink() ? [path] : [];
  });
}

/** The names of the folders in a folder, sorted; none when it is not there or a link. Links are left out. */
export function foldersIn(folder: string): readonly string[] {
  return entriesOf(folder).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

/** Reads every file below a folder as a value, in UTF-8. `subject` is what omissions call the folder. */
export function readKeyedFiles(folder: string, subject: string): KeyedFiles {
  const values: KeyValue[] = [];
  const omissions: ImportOmission[] = [];
  for (const key of filesBelow(folder)) {
    const text = readText(join(folder, key), largestValueBytes);
    if ('problem' in text) {
      const values = { detail: text.problem };
      omissions.push({ type: 'omission', subject: `${subject}/${key}`, reason: 'unreadable', values });
    } else {
      values.push({ key, value: text.text });
    }
  }
  return { values, omissions };
}

/** The text of a file, or why there is none: it is too large, no UTF-8, or cannot be read. */
export function readText(
  file: string,
  largestBytes: number,
): { readonly text: string } | { readonly problem: string } {
  try {
    const found = lstatSync(file);
    if (!found.isFile()) return { problem: 'it is no file' };
    if (found.size > largestBytes) return { problem: `it is larger than ${largestBytes} bytes` };
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file)) };
  } catch (error) {
    if (error instanceof TypeError) return { problem: 'it is not UTF-8' };
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    if (lstatSync(folder).isSymbolicLink()) return [];
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return [];
    throw error;
  }
}
