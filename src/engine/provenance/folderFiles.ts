import type { BigIntStats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A regular file below a folder. */
export interface FolderFile {
  /** Relative to the folder, with forward slashes. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly status: BigIntStats;
}

/** What lies below a folder. */
export interface FolderFiles {
  /** In the order of their names. */
  readonly files: readonly FolderFile[];
  /** Bytes of all files. */
  readonly size: number;
  /** Whether there was more than the bounds allow, so that not all files are there. */
  readonly isTooLarge: boolean;
}

/** How much of a folder is looked at. */
export interface FolderBounds {
  /** Files and folders in it. */
  readonly entries: number;
  /** Bytes of all files. */
  readonly size: number;
}

/** A folder that is still to be read, and those that it lies in, by device and number. */
interface Place {
  readonly name: string;
  readonly above: readonly string[];
}

/**
 * Finds all regular files below a folder, also behind symbolic links, until it is too large or that is no longer wanted.
 *
 * @throws Error of the file system when some of it cannot be read, as behind a link that leads nowhere.
 */
export async function filesBelow(
  folder: string,
  bounds: FolderBounds,
  signal: AbortSignal,
): Promise<FolderFiles> {
  const files: FolderFile[] = [];
  let entries = 0;
  let size = 0;
  const places: Place[] = [{ name: '', above: [] }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const here = join(folder, place.name);
    const id = idOf(await stat(here, { bigint: true }));
    // A link that leads back to a folder around it would lead there again for ever.
    if (place.above.includes(id)) continue;
    for await (const { name: entry } of await opendir(here, { bufferSize: 256 })) {
      signal.throwIfAborted();
      entries += 1;
      const name = place.name === '' ? entry : `${place.name}/${entry}`;
      const path = join(here, entry);
      const status = await stat(path, { bigint: true });
      if (status.isDirectory()) places.push({ name, above: [...place.above, id] });
      else if (status.isFile()) {
        files.push({ name, path, status });
        size += Number(status.size);
      }
      if (entries > bounds.entries || size > bounds.size) return { files, size, isTooLarge: true };
    }
  }
  return { files: files.sort((one, other) => (one.name < other.name ? -1 : 1)), size, isTooLarge: false };
}

function idOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
