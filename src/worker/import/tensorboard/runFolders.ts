import { basename, dirname } from 'node:path';
import { stableId } from '../reader.ts';
import { tryOpenFile } from '../tracker/byteSource.ts';
import { findSourceFiles, pathBelow, type SourceFile, statusOf } from '../tracker/sourceFiles.ts';
import { readEvent } from './event.ts';
import { readTfRecords } from './tfRecord.ts';

/** A folder with event files, which TensorBoard shows as one run. */
export interface RunFolder {
  readonly folder: string;
  /** As TensorBoard calls it: the path below the log directory; the directory's own name for itself. */
  readonly name: string;
  /** In the order in which they were begun. */
  readonly files: readonly string[];
}

/** A run folder with what its files say about who it is. */
export interface IdentifiedRun extends RunFolder {
  readonly runId: string;
  /** UTC milliseconds of the first event. */
  readonly startTime: number;
  /** Of the nearest run in a folder above. */
  readonly parentRunId: string | null;
}

/** The log directory of a path, which may be one of its event files. */
export function logDirectory(path: string): string {
  return statusOf(path)?.isFile() ? dirname(path) : path;
}

/** Event files are called `events.out.tfevents.<seconds>.<host>` and more (TensorFlow, `events_writer.cc`). */
export function isEventFile(name: string): boolean {
  return /(^|\.)tfevents\.\d/.test(name) && !name.endsWith('.profile-empty');
}

/** @param most how many entries are looked at. */
export function findRunFolders(
  root: string,
  most?: number,
): { runs: readonly RunFolder[]; outside: readonly string[] } {
  const { files, outside } = findSourceFiles(root, isEventFile, most);
  const folders = Map.groupBy(files, ({ folder }) => folder);
  // A folder comes before those in it.
  const runs = [...folders.keys()].sort().map((folder) => ({
    folder,
    name: pathBelow(root, folder) || basename(root),
    files: inOrder(folders.get(folder) ?? []),
  }));
  return { runs, outside };
}

/** By the second in their names; those of one second by the rest of the name, in which a number counts up. */
function inOrder(files: readonly SourceFile[]): readonly string[] {
  const second = (name: string) => Number(/tfevents\.(\d+)/.exec(name)?.[1] ?? 0);
  return [...files]
    .sort((a, b) => second(a.name) - second(b.name) || a.name.localeCompare(b.name, 'en', { numeric: true }))
    .map(({ path }) => path);
}

/**
 * Gives each run an id that is the same when the folder is moved or the log directory is another one: from the name of
 * its first event file, which has second and host, and from the exact time of its first event. Folders that are copies of
 * one another are told apart by their names. Runs without any event yet are left out.
 */
export function identifyRuns(runs: readonly RunFolder[]): readonly IdentifiedRun[] {
  const taken = new Set<string>();
  const identified = new Map<string, IdentifiedRun>();
  for (const run of runs) {
    const first = firstEvent(run.files);
    if (first === null) continue;
    const identity = ['tensorboard', basename(first.file), String(first.wallTime)];
    const plain = stableId(...identity);
    const runId = taken.has(plain) ? stableId(...identity, run.name) : plain;
    taken.add(runId);
    const parentRunId = runAbove(run.folder, identified);
    identified.set(run.folder, { ...run, runId, startTime: milliseconds(first.wallTime), parentRunId });
  }
  return [...identified.values()];
}

/** Folders come before those in them. */
function runAbove(folder: string, runs: ReadonlyMap<string, IdentifiedRun>): string | null {
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above)) {
    const run = runs.get(above);
    if (run !== undefined) return run.runId;
  }
  return null;
}

function firstEvent(files: readonly string[]): { readonly file: string; readonly wallTime: number } | null {
  for (const file of files) {
    const source = tryOpenFile(file);
    // What is wrong with a file is said when it is read.
    if ('problem' in source) continue;
    try {
      for (const item of readTfRecords(source)) {
        if (item.type === 'damage') continue;
        return { file, wallTime: readEvent(item.data).wallTime };
      }
    } catch {
      // As above.
    } finally {
      source.close();
    }
  }
  return null;
}

/** UTC milliseconds of an event's time; 0 when it is none. */
export function milliseconds(wallTime: number): number {
  return Number.isFinite(wallTime) && wallTime > 0 ? Math.round(wallTime * 1000) : 0;
}
