import { z } from 'zod';
import type { ErrorData } from './errors.ts';
import { request } from './request.ts';

/** An experiment in stage deleted. */
export interface DeletedExperiment {
  readonly experimentId: string;
  readonly name: string;
  /** UTC milliseconds. */
  readonly deletedAt: number;
  readonly runCount: number;
}

/** A run in stage deleted, of an experiment that is not. */
export interface DeletedRun {
  readonly runId: string;
  readonly name: string;
  readonly experimentName: string;
  /** UTC milliseconds. */
  readonly deletedAt: number;
}

/** What is in stage deleted, the newest first; of the runs no more than were asked for. */
export interface DeletedThings {
  readonly experiments: readonly DeletedExperiment[];
  readonly runs: readonly DeletedRun[];
  /** All deleted runs, those of deleted experiments included. */
  readonly runCount: number;
}

/** Something that was, or would be, deleted for good. */
export interface RemovedThing {
  readonly id: string;
  readonly name: string;
}

/** What a permanent delete takes, or took. */
export interface GarbageReport {
  readonly experiments: readonly RemovedThing[];
  readonly runs: readonly RemovedThing[];
  readonly loggedModels: readonly RemovedThing[];
  readonly traceCount: number;
  /** What was asked for and is kept, each with its reason. */
  readonly kept: readonly ErrorData[];
  /** Bytes of artifacts. */
  readonly artifactBytes: number;
  /** Bytes by which the store's file shrank; 0 in a dry run. */
  readonly storeBytes: number;
  /** Bytes inside the store's file that new rows will use before it grows; 0 in a dry run. */
  readonly freeBytes: number;
}

export interface ExperimentUsage {
  readonly experimentId: string;
  readonly name: string;
  readonly deleted: boolean;
  /** The deleted ones among them. */
  readonly runCount: number;
  readonly deletedRunCount: number;
  readonly metricPoints: number;
  readonly artifactFiles: number;
  /** Bytes. */
  readonly artifactBytes: number;
}

export interface PathUsage {
  /** Relative to the artifact folder, with forward slashes; or the name of an endpoint. */
  readonly name: string;
  readonly bytes: number;
}

/** Where the disk space of a workspace's store goes. Sizes are in bytes. */
export interface DiskUsage {
  readonly storeFile: string;
  readonly storeBytes: number;
  /** What SQLite wrote and has not merged yet. */
  readonly logBytes: number;
  /** Part of `storeBytes` that new rows will use before the file grows. */
  readonly freeBytes: number;
  /** The largest artifacts first. */
  readonly experiments: readonly ExperimentUsage[];
  readonly inferenceLogs: readonly PathUsage[];
  /** Artifact folders and files that belong to nothing in the store. */
  readonly orphans: readonly PathUsage[];
  /** Stores that a restore replaced and kept. */
  readonly replacedBytes: number;
  readonly totalBytes: number;
}

/** What a store holds, for a person who has to choose between two. */
export interface StoreContent {
  readonly experiments: number;
  readonly runs: number;
  readonly modelVersions: number;
  readonly schema: number;
}

export interface BackupReport {
  /** The absolute path of the file or folder that was written. */
  readonly path: string;
  readonly content: StoreContent;
  readonly storeBytes: number;
  readonly artifactFiles: number;
  readonly artifactBytes: number;
  readonly milliseconds: number;
}

export interface BackupDescription {
  readonly path: string;
  /** UTC milliseconds. */
  readonly createdAt: number;
  readonly hasArtifacts: boolean;
  readonly content: StoreContent;
}

export interface RestoreReport {
  readonly content: StoreContent;
  /** Where the store that was there before is kept; null when there was none. */
  readonly replaced: string | null;
  readonly artifactFiles: number;
}

export interface CheckReport {
  /** What is wrong, each with its remedy; none when the store is sound. */
  readonly findings: readonly ErrorData[];
  /** How many there are, as `findings` stops at a few of each kind. */
  readonly findingCount: number;
  readonly content: StoreContent;
  readonly milliseconds: number;
}

const runIds = z.array(z.string().min(1).max(256)).max(100_000);
const experimentIds = z.array(z.string().min(1).max(64)).max(10_000);
const path = z.string().min(1);

/** Restricts a permanent delete. All null: everything in stage deleted. */
export const garbageSelection = z.object({
  runIds: runIds.nullable(),
  experimentIds: experimentIds.nullable(),
  /** Only what was deleted this many milliseconds ago or more. */
  olderThan: z.number().min(0).nullable(),
});
export type GarbageSelection = z.infer<typeof garbageSelection>;

/** What the extension host asks the engine about the life cycle of runs and the health of the store. */
export const maintenanceRequests = {
  /** Moves runs to stage deleted, from where they can be restored. */
  'maintenance/deleteRuns': request<null>()(z.object({ runIds })),
  'maintenance/restoreRuns': request<null>()(z.object({ runIds })),
  /** Moves an experiment and its runs to stage deleted. */
  'maintenance/deleteExperiment': request<null>()(z.object({ experimentId: z.string().min(1) })),
  'maintenance/restoreExperiment': request<null>()(z.object({ experimentId: z.string().min(1) })),
  'maintenance/deleted': request<DeletedThings>()(z.object({ limit: z.number().int().min(1).max(10_000) })),
  /** Active runs below a run, at any depth. */
  'maintenance/nestedRuns': request<readonly string[]>()(z.object({ runId: z.string().min(1) })),
  /** What a permanent delete would take; changes nothing. */
  'maintenance/garbage': request<GarbageReport>()(garbageSelection),
  /** Deletes for good what is in stage deleted and not needed. Tells its progress. */
  'maintenance/collectGarbage': request<GarbageReport>()(garbageSelection),
  'maintenance/diskUsage': request<DiskUsage>()(z.object({})),
  /**
   * Copies the store while it is written to. Into a new folder below `path`, or to the file `path` when that ends in
   * `.db`. Tells its progress.
   */
  'maintenance/backup': request<BackupReport>()(z.object({ path, artifacts: z.boolean() })),
  'maintenance/describeBackup': request<BackupDescription>()(z.object({ path })),
  'maintenance/content': request<StoreContent>()(z.object({})),
  /** Puts a backup in the place of the store, which is kept beside it; the engine opens it at once. */
  'maintenance/restore': request<RestoreReport>()(z.object({ path })),
  /** Reads all of the store and says what is wrong with it. Tells its progress. */
  'maintenance/check': request<CheckReport>()(z.object({})),
} as const;
