import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';
import { SlipwayError } from '../../protocol/errors.ts';

/** Watches the files and folders of a source. */
export interface SourceWatch {
  /**
   * Watches these and no others. Gives those that were not watched before, or were replaced since; those that are not there
   * are left out.
   */
  look(paths: readonly string[]): ReadonlySet<string>;
  /**
   * Resolves with what changed since the last call, as soon as there is something.
   *
   * @param atMost so many milliseconds; then it resolves with nothing.
   */
  changed(atMost?: number): Promise<ReadonlySet<string>>;
  close(): void;
}

/** Changes closer together than this are read as one: a training script writes many small files at once. */
const gatherMilliseconds = 200;

/** @param source what errors call it. */
export function createSourceWatch(source: string): SourceWatch {
  const watchers = new Map<string, FSWatcher>();
  let changes = new Set<string>();
  let wake: (() => void) | null = null;

  const note = (path: string) => {
    changes.add(path);
    wake?.();
  };
  const end = (path: string, watcher: FSWatcher) => {
    watcher.close();
    if (watchers.get(path) === watcher) watchers.delete(path);
  };
  const begin = (path: string): boolean => {
    try {
      const watcher = watch(path, { persistent: true }, (event, name) => {
        // It may have been replaced: its watcher would go on to watch what is gone.
        if (event === 'rename' && name === basename(path)) end(path, watcher);
        note(path);
      });
      // A folder that is deleted: what is left is read without it.
      watcher.on('error', () => {
        end(path, watcher);
        note(path);
      });
      watchers.set(path, watcher);
      return true;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      if (error.code === 'ENOSPC' || error.code === 'EMFILE') {
        throw new SlipwayError('tooManyWatches', { path: source }, { cause: error });
      }
      throw error;
    }
  };

  return {
    look(paths) {
      const wanted = new Set(paths);
      for (const [path, watcher] of watchers) {
        if (!wanted.has(path)) end(path, watcher);
      }
      return new Set([...wanted].filter((path) => !watchers.has(path) && begin(path)));
    },
    async changed(atMost) {
      if (changes.size === 0) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (atMost !== undefined) timer = setTimeout(resolve, atMost);
        });
        clearTimeout(timer);
        wake = null;
        if (changes.size > 0) await new Promise((resolve) => setTimeout(resolve, gatherMilliseconds));
      }
      const taken = changes;
      changes = new Set();
      return taken;
    },
    close() {
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}
