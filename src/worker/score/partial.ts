import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { z } from 'zod';
import { type Detail, detail, isDetail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';

/** What a job works on; it goes on from an earlier try only when all of it is the same. */
export const jobIdentity = z.object({
  input: z.object({
    path: z.string(),
    bytes: z.number(),
    /** Milliseconds. */
    modified: z.number(),
    /** SHA-256 of its first megabyte. */
    head: z.string(),
  }),
  model: z.object({ name: z.string(), version: z.number(), digest: z.string() }),
  options: z.object({ inputFormat: z.string(), outputFormat: z.string(), onlyPredictions: z.boolean() }),
});
export type JobIdentity = z.infer<typeof jobIdentity>;

const jobState = z.object({
  /** Of this file's form. */
  format: z.literal(1),
  job: jobIdentity,
  /** Complete files of predictions, in their order, with the rows of each. */
  parts: z.array(z.object({ file: z.string(), rows: z.number().int().positive() })),
  /** Of each output the shape that a run gave; empty before the first part. */
  shapes: z.array(z.array(z.number())),
  /** The complete output that is about to get its name; null before. */
  complete: z
    .object({
      bytes: z.number(),
      rows: z.number(),
      predictionColumns: z.array(z.string()),
      warnings: z.array(z.union([z.string(), z.custom<Detail>(isDetail)])),
    })
    .nullable(),
});
export type JobState = z.infer<typeof jobState>;

/** What an unfinished job has done, in a folder that nobody else writes to meanwhile. */
export interface PartialOutput {
  readonly folder: string;
  readonly state: JobState;
  /** Rows that the parts have. */
  readonly rows: number;
  /** Changes the state; what it names must be on the disk. */
  save(change: Partial<Omit<JobState, 'format' | 'job'>>): Promise<void>;
  /** The absolute path of a file in the folder. */
  path(file: string): string;
  /** Lets go of the folder; `remove` deletes it, too. */
  close(remove: boolean): void;
}

const stateFile = 'state.json';
const lockFile = 'lock';

/**
 * Opens the folder of an output's unfinished job, or makes it.
 *
 * @throws SlipwayError `scoreRunning` when another process works in it, `scorePartialDiffers` when it holds the
 *   beginning of another job and `restart` is not given.
 */
export function openPartialOutput(
  folder: string,
  output: string,
  job: JobIdentity,
  restart: boolean,
): PartialOutput {
  const existed = existsSync(folder);
  mkdirSync(folder, { recursive: true });
  const lock = takeLock(join(folder, lockFile), output);
  let state: JobState = { format: 1, job, parts: [], shapes: [], complete: null };
  try {
    const earlier = restart ? null : readState(join(folder, stateFile));
    const difference = earlier && differenceOf(earlier.job, job);
    if (difference) throw new SlipwayError('scorePartialDiffers', { path: output, detail: difference });
    if (earlier) state = earlier;
    removeOthers(folder, new Set([stateFile, ...state.parts.map(({ file }) => file)]));
  } catch (error) {
    lock.close();
    if (!existed) rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const path = (file: string) => join(folder, file);
  return {
    folder,
    get state() {
      return state;
    },
    get rows() {
      return state.parts.reduce((sum, { rows }) => sum + rows, 0);
    },
    async save(change) {
      const next: JobState = { ...state, ...change };
      const file = await open(path(`${stateFile}.new`), 'w');
      try {
        await file.writeFile(JSON.stringify(next));
        await file.sync();
      } finally {
        await file.close();
      }
      renameSync(path(`${stateFile}.new`), path(stateFile));
      state = next;
    },
    path,
    close(remove) {
      lock.close();
      if (remove) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A lock of SQLite, because the system lets go of it when the process is killed. */
function takeLock(file: string, output: string): BetterSqlite3.Database {
  const lock = new BetterSqlite3(file, { timeout: 0 });
  try {
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (error instanceof BetterSqlite3.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new SlipwayError('scoreRunning', { path: output }, { cause: error });
    }
    throw error;
  }
}

/** Null when there is none that can be used. */
function readState(file: string): JobState | null {
  if (!existsSync(file)) return null;
  try {
    return jobState.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function differenceOf(earlier: JobIdentity, job: JobIdentity): Detail | null {
  const { name, version, digest } = earlier.model;
  if (name !== job.model.name || version !== job.model.version) {
    return detail('otherVersionBegun', { version, model: name });
  }
  if (digest !== job.model.digest) return detail('otherModelFile');
  if (earlier.input.path !== job.input.path) return detail('otherInputBegun', { path: earlier.input.path });
  if (JSON.stringify(earlier.input) !== JSON.stringify(job.input)) return detail('inputChangedSince');
  if (JSON.stringify(earlier.options) !== JSON.stringify(job.options)) {
    return detail('otherOptionsBegun');
  }
  return null;
}

/** What a killed process has left half written, or what is to be thrown away. */
function removeOthers(folder: string, kept: ReadonlySet<string>): void {
  for (const name of readdirSync(folder)) {
    if (kept.has(name) || name === lockFile || name.startsWith(`${lockFile}-`)) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

const headBytes = 1024 * 1024;

/**
 * What tells an input from another one, or from itself after a change.
 *
 * @throws SlipwayError `dataUnreadable` when there is no such file.
 */
export async function identifyInput(path: string): Promise<JobIdentity['input']> {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) {
    throw new SlipwayError('dataUnreadable', { path, detail: detail('noSuchFile') });
  }
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex');
    return { path: resolve(path), bytes: found.size, modified: found.mtimeMs, head };
  } finally {
    await file.close();
  }
}
