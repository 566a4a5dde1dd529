import { readdir, readFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const rooted = /(?:\/(?:home|root|tmp|Users|usr|var|opt|private|mnt)\/[\w.-]+|\b[A-Z]:\\{1,2}[\w.-]+)/;

/**
 * Searches all files of a folder, binary ones included, for absolute paths of the machine that wrote them.
 *
 * @returns one line for each file that has one: the file, relative to `folder`, and what was found.
 */
export async function machinePaths(folder: string, known: readonly string[] = []): Promise<string[]> {
  const forbidden = [...known, homedir(), tmpdir()].filter((path) => path.length > 1);
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const content = await readFile(file, 'latin1');
    // Compressed pixels may look like anything.
    const path = file.endsWith('.png')
      ? undefined
      : (rooted.exec(content)?.[0] ?? forbidden.find((p) => content.includes(p)));
    if (path !== undefined) found.push(`${relative(folder, file)}: ${path}`);
  }
  return found;
}

/** Bytes of all files of a folder together. */
export async function folderSize(folder: string): Promise<number> {
  let size = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) size += (await readFile(join(entry.parentPath, entry.name))).length;
  }
  return size;
}
