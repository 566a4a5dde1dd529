import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ErrorData, explainRefusal } from '../../protocol/errors.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import { entriesOf, folderSize } from './folderSize.ts';
import { sharedFolders } from './locations.ts';
import { stopWhenCancelled } from './parts.ts';
import { isRunning } from './processes.ts';
import type { MaintenanceStore } from './store.ts';

/**
 * Removes folders of artifacts whose rows are deleted. A folder is noted on disk before its rows are deleted and removed
 * after that is acknowledged, so that a process that dies in between leaves a note which the next one finishes. No
 * folder is removed while a row names it, whoever wrote the note: it may never have come to the deletion.
 */
export interface Removals {
  /** Notes folders, durably. To be called inside the transaction that deletes their rows. */
  note(paths: readonly string[]): void;
  /** Removes what was noted here, and by processes that have ended. */
  finish(signal: AbortSignal, removed: (count: number, total: number) => void): Promise<RemovalReport>;
}

export interface RemovalReport {
  readonly bytes: number;
  /** Folders that could not be removed; the next time tries again. */
  readonly failures: readonly ErrorData[];
}

export interface RemovalsOptions {
  /** The folder of the notes. */
  readonly folder: string;
  readonly store: MaintenanceStore;
  readonly artifacts: ArtifactStore;
}

export function createRemovals({ folder, store, artifacts }: RemovalsOptions): Removals {
  const ownNote = join(folder, `${process.pid}-${randomUUID()}`);

  const remove = async (path: string): Promise<number> => {
    const target = artifacts.resolve(artifacts.locationOf(path));
    const { bytes } = await folderSize(target);
    await rm(target, { recursive: true, force: true });
    // A run's or model's own folder, which held nothing else.
    if (/(^|\/)artifacts$/.test(path)) await rmdir(dirname(target)).catch(() => undefined);
    return bytes;
  };

  return {
    note(paths) {
      if (paths.length === 0) return;
      mkdirSync(folder, { recursive: true });
      const file = openSync(ownNote, 'a');
      try {
        writeSync(file, `${paths.map((path) => JSON.stringify(path)).join('\n')}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    },
    async finish(signal, removed) {
      const notes = (await entriesOf(folder))
        .map(({ name }) => join(folder, name))
        .filter((note) => note === ownNote || !isAtWork(note));
      const failures: ErrorData[] = [];
      let bytes = 0;
      for (const note of notes) {
        const paths = [...new Set(await readNote(note))];
        const named = sharedFolders(store, paths, () => false);
        let failed = false;
        for (const [index, path] of paths.entries()) {
          stopWhenCancelled(signal);
          if (!named.has(path)) {
            try {
              bytes += await remove(path);
            } catch (error) {
              failed = true;
              failures.push(notRemoved(path, error));
            }
          }
          removed(index + 1, paths.length);
        }
        if (!failed) await rm(note, { force: true });
      }
      return { bytes, failures };
    },
  };
}

/** Whether the process that wrote a note still runs; it removes its folders itself. */
function isAtWork(note: string): boolean {
  const id = Number(/(\d+)-[^/\\]*$/.exec(note)?.[1]);
  if (!Number.isInteger(id) || id === process.pid) return false;
  return isRunning(id);
}

/** A last line that was cut short belongs to a transaction that never ended. */
async function readNote(note: string): Promise<readonly string[]> {
  const lines = (await readFile(note, 'utf8')).split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    try {
      const path: unknown = JSON.parse(line);
      return typeof path === 'string' && path !== '' ? [path] : [];
    } catch {
      return [];
    }
  });
}

function notRemoved(path: string, error: unknown): ErrorData {
  const explained = explainRefusal(error, path);
  return {
    kind: 'folderNotRemoved',
    values: { path, detail: explained instanceof Error ? explained.message : String(explained) },
  };
}
