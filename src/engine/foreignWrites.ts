import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Changes } from './changes.ts';
import type { Database } from './database/connection.ts';

/** Many writes follow one another; looking once in this time is enough. */
const gatherMilliseconds = 100;

/**
 * Tells when another process has written to the store, such as a second engine or the command line: it watches SQLite's log
 * beside the file, and asks SQLite whose write it was. Where files cannot be watched, others' writes are shown with the
 * next reading.
 */
export function watchForeignWrites(
  database: Pick<Database, 'file' | 'dataVersion'>,
  changes: Pick<Changes, 'elsewhere' | 'log'>,
): { dispose(): void } {
  const log = `${basename(database.file)}-wal`;
  let version = database.dataVersion();
  let pending: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;

  const look = () => {
    pending = undefined;
    const now = database.dataVersion();
    if (now !== version) changes.elsewhere();
    version = now;
  };
  const dispose = () => {
    clearTimeout(pending);
    watcher?.close();
    watcher = undefined;
  };
  const giveUp = (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    changes.log('warning', `What other processes write to the store is not shown at once: ${reason}`);
    dispose();
  };
  try {
    // The folder, as the log itself comes and goes.
    watcher = watch(dirname(database.file), { persistent: false }, (_event, name) => {
      if (name === log) pending ??= setTimeout(look, gatherMilliseconds).unref();
    });
    watcher.on('error', giveUp);
  } catch (error) {
    giveUp(error);
  }
  return { dispose };
}
