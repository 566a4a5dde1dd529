import { basename } from 'node:path';
import { stableId } from '../reader.ts';
import { type ByteSource, tryOpenFile } from '../tracker/byteSource.ts';
import { findSourceFiles } from '../tracker/sourceFiles.ts';
import { hasFileHeader, readLogRecords } from './logBlocks.ts';
import { readRecord, readRun, recordFields } from './record.ts';

/** A `.wandb` file in the folder of its run. */
export interface RunFile {
  readonly path: string;
  /** The folder of the run, in which `files/` lies beside it. */
  readonly folder: string;
}

/** A run: one file, or several when it was resumed. */
export interface WandbRun {
  /** As the store calls it. */
  readonly runId: string;
  /** As Weights & Biases calls it. */
  readonly name: string;
  readonly project: string;
  /** In the order in which they were begun. */
  readonly files: readonly RunFile[];
}

/** What Weights & Biases calls the project of runs that named none. */
const noProject = 'uncategorized';

/** `run-<id>.wandb`, in a folder that is called after the time when the run began. */
export function isRunFile(name: string): boolean {
  return /^run-.+\.wandb$/.test(name);
}

/** @param most how many entries are looked at. */
export function findRunFiles(
  root: string,
  most?: number,
): { files: readonly RunFile[]; outside: readonly string[] } {
  const { files, outside } = findSourceFiles(root, isRunFile, most);
  return { files: files.map(({ path, folder }) => ({ path, folder })), outside };
}

/**
 * Puts the files of one run together. Its id comes from what the file says (entity, project, run id), so that it is the
 * same when the folder is moved.
 */
export function groupRuns(files: readonly RunFile[]): readonly WandbRun[] {
  const runs = new Map<string, WandbRun>();
  for (const file of files) {
    const { entity, project, name } = identify(file.path);
    const runId = stableId('wandb', entity, project, name);
    const known = runs.get(runId);
    runs.set(runId, { runId, name, project, files: [...(known?.files ?? []), file] });
  }
  return [...runs.values()];
}

/** The first records say it; where they cannot be read, the name of the file has the run's id. */
function identify(file: string): {
  readonly entity: string;
  readonly project: string;
  readonly name: string;
} {
  const source = tryOpenFile(file);
  const said = 'problem' in source ? null : identityIn(source);
  if (said !== null) return said;
  const name = basename(file).replace(/^run-(.+)\.wandb$/, '$1');
  return { entity: '', project: noProject, name };
}

function identityIn(source: ByteSource): ReturnType<typeof identify> | null {
  try {
    if (!hasFileHeader(source)) return null;
    for (const item of readLogRecords(source)) {
      if (item.type === 'damage') continue;
      const record = readRecord(item.data);
      if (record?.field === recordFields.history) return null;
      if (record?.field !== recordFields.run) continue;
      const run = readRun(record.message);
      return { entity: run.entity, project: run.project || noProject, name: run.runId };
    }
    return null;
  } catch {
    // What is wrong with the file is said when it is read.
    return null;
  } finally {
    source.close();
  }
}
