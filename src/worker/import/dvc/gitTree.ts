import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { ImportOmission } from '../../../protocol/importing.ts';
import { isInside } from '../artifactFiles.ts';
import { omission } from '../tracker/omission.ts';
import { askProject } from './askProject.ts';

/** A plain file of a commit. */
export interface TreeFile {
  /** With forward slashes. */
  readonly path: string;
  /** The id of its content in Git. */
  readonly object: string;
  readonly size: number;
}

const treeLimit = 64 * 1024 * 1024;
/** A file of metrics, parameters or plots is never larger on purpose, and all of an experiment together are not. */
const largestFile = 16 * 1024 * 1024;
const mostBytes = 128 * 1024 * 1024;
/** `<id> blob <size>` and two line ends. */
const headerBytes = 200;

/** The plain files of a commit; links and submodules are none. Null when git cannot say. */
export async function listTree(project: string, commit: string): Promise<readonly TreeFile[] | null> {
  const output = await askProject(['ls-tree', '-r', '-l', '-z', commit], { project, limit: treeLimit });
  if (output === null) return null;
  return output
    .toString('utf8')
    .split('\0')
    .flatMap((entry) => {
      const match = /^100\d{3} blob ([0-9a-f]{40,64}) +(\d+)\t(.+)$/s.exec(entry);
      const [, object = '', size = '', path = ''] = match ?? [];
      return match === null ? [] : [{ path, object, size: Number(size) }];
    });
}

/**
 * Writes files of a commit below a folder, as of a time in UTC milliseconds.
 *
 * @returns what was left out, because it is too large or would lie outside of the folder; null when git cannot give them.
 */
export async function writeTreeFiles(
  project: string,
  files: readonly TreeFile[],
  folder: string,
  time: number,
): Promise<readonly ImportOmission[] | null> {
  const taken: TreeFile[] = [];
  const left: ImportOmission[] = [];
  let bytes = 0;
  for (const file of files) {
    if (!isInside(normalize(join(folder, file.path)), folder)) left.push(omission(file.path, 'leadsOutside'));
    else if (file.size > largestFile || bytes + file.size > mostBytes) {
      left.push(omission(file.path, 'unreadable', { detail: 'it is too large to be taken from Git' }));
    } else {
      taken.push(file);
      bytes += file.size;
    }
  }
  if (taken.length === 0) return left;
  const input = taken.map(({ object }) => `${object}\n`).join('');
  const limit = bytes + taken.length * headerBytes;
  const output = await askProject(['cat-file', '--batch'], { project, limit, input });
  if (output === null) return null;
  let at = 0;
  for (const { path, object, size } of taken) {
    const header = `${object} blob ${size}\n`;
    const begin = at + header.length;
    if (output.toString('latin1', at, begin) !== header) return null;
    at = begin + size + 1;
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, output.subarray(begin, begin + size));
    utimesSync(file, time / 1000, time / 1000);
  }
  return left;
}
