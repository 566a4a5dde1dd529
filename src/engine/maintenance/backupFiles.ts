import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { SlipwayError } from '../../protocol/errors.ts';
import type { BackupDescription } from '../../protocol/maintenance.ts';
import { migrations } from '../database/migrations/index.ts';
import { readBackupContent } from './backupStore.ts';

/** Where the parts of a backup lie. */
export interface BackupFiles extends BackupDescription {
  /** The copy of the store. */
  readonly file: string;
  /** The folder of its artifacts; null when it has none. */
  readonly artifacts: string | null;
}

const noteSchema = z.object({ createdAt: z.number() });

/**
 * Looks at a backup: a folder with `store.db` and perhaps `artifacts/`, or a single file.
 *
 * @throws SlipwayError `noBackup`, `storeTooNew`
 */
export async function readBackup(given: string): Promise<BackupFiles> {
  const path = resolve(given);
  const found = await stat(path).catch(() => null);
  if (found === null) throw new SlipwayError('noBackup', { path, detail: 'there is nothing' });
  const file = found.isDirectory() ? join(path, 'store.db') : path;
  const fileStatus = await stat(file).catch(() => null);
  if (!fileStatus?.isFile()) throw new SlipwayError('noBackup', { path, detail: 'it has no store.db' });
  const artifacts = found.isDirectory() ? join(path, 'artifacts') : null;
  const hasArtifacts =
    artifacts !== null && (await stat(artifacts).catch(() => null))?.isDirectory() === true;
  return {
    path,
    file,
    artifacts: hasArtifacts ? artifacts : null,
    hasArtifacts,
    createdAt: (await createdAt(path)) ?? fileStatus.mtimeMs,
    content: readBackupContent(file, migrations.at(-1)?.version ?? 0),
  };
}

/** Null where there is no note, or one that somebody else wrote. */
async function createdAt(folder: string): Promise<number | null> {
  try {
    return noteSchema.parse(JSON.parse(await readFile(join(folder, 'backup.json'), 'utf8'))).createdAt;
  } catch {
    return null;
  }
}
