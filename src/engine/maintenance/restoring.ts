import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { explainRefusal, SlipwayError } from '../../protocol/errors.ts';
import type { RestoreReport } from '../../protocol/maintenance.ts';
import { copyDatabase } from '../database/backup.ts';
import { type ExclusiveHold, holdExclusively } from '../database/exclusive.ts';
import { createStore, type StoreLayout } from '../layout.ts';
import type { InspectFile } from './backup.ts';
import { readBackup } from './backupFiles.ts';
import { entriesOf } from './folderSize.ts';
import { type JobControl, stopWhenCancelled } from './parts.ts';
import { isRunning } from './processes.ts';

/**
 * Puts a backup in the place of a store that no process has open. At every moment there is a whole store in its place: the
 * old one until a single rename, then the new one. Artifacts are added before; the old one's stay where they are, and a
 * file that the backup has otherwise is kept beside the old store, in `replaced/`.
 *
 * @throws SlipwayError `noBackup`, `storeTooNew`, `storeInUse`, `diskFull`, `storeNotWritable`, `cancelled`; then the
 * old store is as it was.
 */
export async function restoreBackup(
  layout: StoreLayout,
  inspect: InspectFile,
  path: string,
  { signal, progress }: JobControl,
): Promise<RestoreReport> {
  const backup = await readBackup(path);
  createStore(layout);
  await removeLeftovers(layout.root);
  const staging = join(layout.root, `restoring-${process.pid}-${randomUUID()}`);
  const replaced = join(layout.replaced, new Date().toISOString().replace(/[:.]/g, '-'));
  let hold: ExclusiveHold | null = null;
  try {
    await mkdir(staging);
    const staged = join(staging, 'store.db');
    await copyDatabase(backup.file, staged, { signal, progress: (fraction) => progress(0.3 * fraction, '') });
    await refuseDamage(staged, backup.path, inspect, {
      signal,
      progress: (fraction) => progress(0.3 + 0.3 * fraction, ''),
    });
    await flush(staged);

    const exists = (await stat(layout.database).catch(() => null)) !== null;
    if (exists) {
      hold = holdExclusively(layout.database);
      if (hold === null) throw new SlipwayError('storeInUse', { path: layout.database });
    }
    const artifactFiles =
      backup.artifacts === null
        ? 0
        : await addArtifacts(
            backup.artifacts,
            layout.artifacts,
            join(replaced, 'artifacts'),
            staging,
            signal,
          );
    progress(0.9, '');
    stopWhenCancelled(signal);
    if (exists) await keepOld(layout.database, replaced);
    // Windows renames nothing over a file that is open.
    if (process.platform === 'win32') hold?.release();
    await rename(staged, layout.database);
    if (process.platform !== 'win32') await flush(layout.root);
    progress(1, '');
    return { content: backup.content, replaced: exists ? replaced : null, artifactFiles };
  } catch (error) {
    throw explainRefusal(error, layout.root);
  } finally {
    hold?.release();
    await rm(staging, { recursive: true, force: true });
  }
}

async function refuseDamage(
  file: string,
  path: string,
  inspect: InspectFile,
  control: JobControl,
): Promise<void> {
  const damage = (await inspect(file, control)).find(({ kind }) => kind === 'storeDamaged');
  if (damage) throw new SlipwayError('noBackup', { path, detail: damage.values.detail ?? '' });
}

/** A second name for the file, so that the first is never without one; and what belongs to a damaged one. */
async function keepOld(file: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const kept = join(folder, 'store.db');
  await link(file, kept).catch(() => copyFile(file, kept, constants.COPYFILE_FICLONE));
  for (const part of ['-wal', '-shm']) {
    // Left behind, it would be taken for the new store's.
    if ((await stat(file + part).catch(() => null)) !== null) await rename(file + part, kept + part);
  }
}

/** Gives the number of files that were added. Each comes to its place whole. */
async function addArtifacts(
  from: string,
  to: string,
  replaced: string,
  staging: string,
  signal: AbortSignal,
): Promise<number> {
  let added = 0;
  const add = async (path: string): Promise<void> => {
    for (const entry of await entriesOf(join(from, path))) {
      stopWhenCancelled(signal);
      const inside = join(path, entry.name);
      if (entry.isDirectory()) {
        await add(inside);
        continue;
      }
      if (!entry.isFile()) continue;
      const source = join(from, inside);
      const target = join(to, inside);
      if (await isSame(source, target)) continue;
      const partial = join(staging, 'artifact');
      await copyFile(source, partial, constants.COPYFILE_FICLONE);
      await mkdir(dirname(target), { recursive: true });
      if ((await stat(target).catch(() => null)) !== null) {
        await mkdir(dirname(join(replaced, inside)), { recursive: true });
        await rename(target, join(replaced, inside));
      }
      await rename(partial, target);
      added += 1;
    }
  };
  await add('');
  return added;
}

async function isSame(source: string, target: string): Promise<boolean> {
  const [one, other] = await Promise.all([stat(source), stat(target).catch(() => null)]);
  if (other === null || one.size !== other.size) return false;
  const pieceBytes = 1024 * 1024;
  const files = await Promise.all([open(source, 'r'), open(target, 'r')]);
  try {
    for (let position = 0; position < one.size; position += pieceBytes) {
      const [left, right] = await Promise.all(
        files.map(async (file) => {
          const { buffer, bytesRead } = await file.read(Buffer.alloc(pieceBytes), 0, pieceBytes, position);
          return buffer.subarray(0, bytesRead);
        }),
      );
      if (!left || !right || !left.equals(right)) return false;
    }
    return true;
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

/** What a restore that was killed had begun to copy. */
async function removeLeftovers(root: string): Promise<void> {
  for (const { name } of await entriesOf(root)) {
    const id = Number(/^restoring-(\d+)-/.exec(name)?.[1]);
    if (Number.isInteger(id) && id !== process.pid && !isRunning(id)) {
      await rm(join(root, name), { recursive: true, force: true });
    }
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
