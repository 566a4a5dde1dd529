import { constants, copyFile, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type ErrorData, fromErrorData, SlipwayError } from '../../protocol/errors.ts';
import type { BackupReport, StoreContent } from '../../protocol/maintenance.ts';
import { copyDatabase } from '../database/backup.ts';
import { uploadFolder } from '../tracking/artifactPath.ts';
import { readBackupContent } from './backupStore.ts';
import { entriesOf } from './folderSize.ts';
import { type JobControl, type MaintenanceParts, stopWhenCancelled } from './parts.ts';

export interface BackupRequest {
  /** A folder, in which the backup becomes a new folder; or a file whose name ends in `.db`. */
  readonly path: string;
  /** The files of runs and models, too; only into a folder. */
  readonly artifacts: boolean;
}

/** What a backup's folder says of itself, in `backup.json`. */
export interface BackupNote {
  readonly createdAt: number;
  readonly hasArtifacts: boolean;
  readonly content: StoreContent;
}

/** Reads all of a database file and says what is wrong with it. */
export type InspectFile = (file: string, control: JobControl) => Promise<readonly ErrorData[]>;

/**
 * Copies the store while it is written to, and checks the copy. Nothing is at its place before all of it is there and
 * sound.
 *
 * @throws SlipwayError `invalidParameter` when artifacts are to go into a file, `alreadyExists` when there is something
 * already, `backupFailed` when it cannot be written, `storeDamaged` when the copy is not sound, `cancelled`.
 */
export async function backUp(
  parts: MaintenanceParts,
  inspect: InspectFile,
  request: BackupRequest,
  control: JobControl,
): Promise<BackupReport> {
  const started = Date.now();
  const isFile = request.path.endsWith('.db');
  if (isFile && request.artifacts) {
    throw new SlipwayError('invalidParameter', {
      detail: 'Artifacts do not fit into one file: name a folder for the backup.',
    });
  }
  const target = isFile ? resolve(request.path) : join(resolve(request.path), folderName(new Date(started)));
  if (await exists(target)) {
    throw new SlipwayError('alreadyExists', {
      detail: `There is something in ${target} already. Name another file.`,
    });
  }
  const partial = `${target}.${process.pid}.partial`;
  const file = isFile ? partial : join(partial, 'store.db');
  try {
    await mkdir(isFile ? dirname(target) : partial, { recursive: true });
    const share = request.artifacts ? 0.3 : 0.7;
    await copyDatabase(parts.layout.database, file, {
      signal: control.signal,
      progress: (fraction) => control.progress(share * fraction, ''),
    });
    const copied = request.artifacts
      ? await copyArtifacts(parts.layout.artifacts, join(partial, 'artifacts'), control.signal)
      : { files: 0, bytes: 0 };
    const findings = await inspect(file, {
      signal: control.signal,
      progress: (fraction) => control.progress(0.7 + 0.3 * fraction, ''),
    });
    const damage = findings.find(({ kind }) => kind === 'storeDamaged');
    if (damage) throw fromErrorData(damage);
    // Not of the store, which went on meanwhile.
    const content = readBackupContent(file, parts.store.content().schema);
    if (!isFile) {
      const note: BackupNote = { createdAt: started, hasArtifacts: request.artifacts, content };
      await writeFile(join(partial, 'backup.json'), `${JSON.stringify(note, null, 2)}\n`);
    }
    await flush(file);
    await rename(partial, target);
    const { size } = await stat(isFile ? target : join(target, 'store.db'));
    return {
      path: target,
      content,
      storeBytes: size,
      artifactFiles: copied.files,
      artifactBytes: copied.bytes,
      milliseconds: Date.now() - started,
    };
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    if (error instanceof SlipwayError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('backupFailed', { path: target, detail }, { cause: error });
  }
}

/** Copies what is in a folder; links and uploads in progress are left out. What vanishes meanwhile was deleted. */
async function copyArtifacts(
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<{ readonly files: number; readonly bytes: number }> {
  let files = 0;
  let bytes = 0;
  const copy = async (folder: string, target: string, isRoot: boolean): Promise<void> => {
    await mkdir(target, { recursive: true });
    for (const entry of await entriesOf(folder)) {
      stopWhenCancelled(signal);
      if (isRoot && entry.name === uploadFolder) continue;
      const source = join(folder, entry.name);
      if (entry.isDirectory()) await copy(source, join(target, entry.name), false);
      else if (entry.isFile()) {
        const copied = await copyFile(source, join(target, entry.name), constants.COPYFILE_FICLONE).then(
          () => true,
          (error: unknown) => {
            if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
            throw error;
          },
        );
        if (!copied) continue;
        files += 1;
        bytes += (await stat(join(target, entry.name))).size;
      }
    }
  };
  await copy(from, to, true);
  return { files, bytes };
}

/** So that the backup survives a power loss right after it was acknowledged. */
async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Such as `slipway-2026-11-21T07-01-21-340Z`: sorts by time and is a name everywhere. */
function folderName(now: Date): string {
  return `slipway-${now.toISOString().replace(/[:.]/g, '-')}`;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
