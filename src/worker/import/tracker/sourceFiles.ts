import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';

/** Folders in which nobody keeps runs, but which can be huge. */
const skippedFolders: ReadonlySet<string> = new Set([
  '.git',
  '.hg',
  '.slipway',
  'node_modules',
  '__pycache__',
  '.venv',
  'site-packages',
]);

/** A file below a source. */
export interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly name: string;
}

/** What a walk through a source found: its files, and links that were not followed because they lead out of it. */
export interface SourceFiles {
  readonly files: readonly SourceFile[];
  readonly outside: readonly string[];
  /** Whether the walk ended early, because there was too much to look at. */
  readonly isCut: boolean;
}

/**
 * Finds files below a folder by their name, in the order of their paths. Links are not followed: where they lead inside the source,
 * their target is found as itself, and outside of it nothing may be read.
 *
 * @param most how many entries are looked at.
 */
export function findSourceFiles(
  root: string,
  matches: (name: string) => boolean,
  most = Number.POSITIVE_INFINITY,
): SourceFiles {
  const files: SourceFile[] = [];
  const outside: string[] = [];
  const realRoot = realpathSync(root);
  let seen = 0;

  const walk = (folder: string) => {
    for (const entry of entriesOf(folder)) {
      seen += 1;
      if (seen > most) return;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!skippedFolders.has(entry.name)) walk(path);
      } else if (matches(entry.name)) {
        if (entry.isFile()) files.push({ path, folder, name: entry.name });
        else if (entry.isSymbolicLink() && leadsOut(path, realRoot)) outside.push(path);
      }
    }
  };
  walk(root);
  return { files, outside, isCut: seen > most };
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    // Gone since it was listed, or not ours to read.
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return [];
    throw error;
  }
}

function leadsOut(link: string, realRoot: string): boolean {
  try {
    const target = realpathSync(link);
    return target !== realRoot && !target.startsWith(realRoot + sep);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** What is at a path; null when there is nothing. */
export function statusOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

/** A digest over names, sizes and times of files, and whatever else matters. Changes when any of them does. */
export function stateOf(files: readonly string[], ...others: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(others));
  for (const file of files) {
    const found = statusOf(file);
    digest.update(JSON.stringify([basename(file), found?.size ?? -1, found?.mtimeMs ?? -1]));
  }
  return digest.digest('hex').slice(0, 16);
}

/** A path below a root, with forward slashes; empty for the root itself. */
export function pathBelow(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}
