import { z } from 'zod';
import type { Assessment } from './assessment.ts';
import type { stages } from './registry.ts';
import { request } from './request.ts';
import type { KeyValue, RunStatus } from './tracking.ts';

/** What runs can be imported from. */
export const importKinds = ['mlruns', 'mlflowdb', 'csv', 'tensorboard', 'wandb', 'dvc'] as const;
export type ImportKind = (typeof importKinds)[number];

/** What was found at a path: one source that can be imported. */
export interface ImportDetection {
  readonly kind: ImportKind;
  /** What to read: an absolute path, either the one that was looked at or one below it. */
  readonly path: string;
  readonly experimentCount: number;
  readonly runCount: number;
  readonly registeredModelCount: number;
}

/**
 * What a reader yields, in an order in which everything comes after what it refers to: an experiment before its runs, a
 * run before its points, artifacts and logged models, a trace before its files, all of these before model versions. Everything may come again: what is
 * there already changes nothing, so a reader need not know what was imported.
 *
 * Times are UTC milliseconds. Ids are the source's own where they are unique everywhere (MLflow's run ids), and made with
 * `stableId` where they are not, so that the same thing has the same id the next time.
 */
export type ImportRecord =
  | ImportedExperiment
  | ImportedRun
  | ImportedPoints
  | ImportedArtifact
  | ImportedArtifactContent
  | ImportedLoggedModel
  | ImportedModelMetrics
  | ImportedTrace
  | ImportedRegisteredModel
  | ImportedModelVersion
  | ImportedModelAliases
  | ImportedPart
  | ImportOmission
  | ImportProgress;

/** Runs go into the experiment of this name; it is created when it is not there. */
export interface ImportedExperiment {
  readonly type: 'experiment';
  /** Its id in the source, by which its runs name it. */
  readonly experimentId: string;
  readonly name: string;
  readonly lifecycleStage: 'active' | 'deleted';
  /** Null: not known. */
  readonly creationTime: number | null;
  readonly lastUpdateTime: number | null;
  readonly tags: readonly KeyValue[];
}

export interface ImportedDataset {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
  /** Tags of the link from run to dataset, such as `mlflow.data.context`. */
  readonly tags: readonly KeyValue[];
}

/** A run with all but its points and artifacts. */
export interface ImportedRun {
  readonly type: 'run';
  /** 32 hexadecimal digits; the same the next time. */
  readonly runId: string;
  /** Of an experiment that was yielded before, in this reading or an earlier one. */
  readonly experimentId: string;
  /** Empty: made up. */
  readonly name: string;
  readonly userId: string;
  readonly status: RunStatus;
  readonly startTime: number;
  readonly endTime: number | null;
  readonly lifecycleStage: 'active' | 'deleted';
  readonly deletedTime: number | null;
  readonly parameters: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  readonly datasets: readonly ImportedDataset[];
  /** Ids of logged models that the run used. */
  readonly modelInputs: readonly string[];
  readonly modelOutputs: readonly { readonly modelId: string; readonly step: number }[];
  /** A remote location (`s3://…`) where its artifacts stay; null: those that are yielded are copied into the store. */
  readonly artifactUri: string | null;
}

/** 64-bit integers; the second form is for those that JavaScript's numbers cannot hold exactly. */
export type Integers = Float64Array | BigInt64Array;

/** Points of one metric of one run, in any order; at most some thousands at once. The three arrays have one length. */
export interface ImportedPoints {
  readonly type: 'points';
  readonly runId: string;
  readonly key: string;
  readonly steps: Integers;
  readonly timestamps: Integers;
  /** May be NaN or infinite. */
  readonly values: Float64Array;
  /**
   * True when the source has only the latest value, as a table with one line for each run does: where that is the
   * latest value here already, nothing is added, so that it does not join a history that came from elsewhere.
   */
  readonly latestOnly?: boolean;
}

/** Whose artifacts a file belongs to. */
export interface ArtifactOwner {
  readonly type: 'run' | 'loggedModel' | 'trace';
  readonly id: string;
}

/** A file that is to be copied. */
export interface ImportedArtifact {
  readonly type: 'artifact';
  readonly owner: ArtifactOwner;
  /** Where it goes, relative to its owner's artifacts, with forward slashes. */
  readonly path: string;
  /** Where it lies, absolute. */
  readonly file: string;
  /** An absolute path out of which `file` may not lead, links followed. */
  readonly root: string;
}

/** A file that lies inside another one of the source, such as an image in an event file; its bytes come with it. */
export interface ImportedArtifactContent {
  readonly type: 'artifactContent';
  readonly owner: ArtifactOwner;
  /** Where it goes, relative to its owner's artifacts, with forward slashes. */
  readonly path: string;
  readonly content: Uint8Array;
  /** True when it takes the place of another content; otherwise what is there stays. */
  readonly replaces?: boolean;
}

export interface ImportedLoggedModel {
  readonly type: 'loggedModel';
  readonly modelId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly modelType: string;
  readonly status: 'LOGGED_MODEL_PENDING' | 'LOGGED_MODEL_READY' | 'LOGGED_MODEL_UPLOAD_FAILED';
  readonly statusMessage: string;
  readonly sourceRunId: string | null;
  readonly creationTime: number;
  readonly lastUpdateTime: number;
  readonly lifecycleStage: 'active' | 'deleted';
  readonly parameters: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  /** As of a run. */
  readonly artifactUri: string | null;
}

export interface ImportedModelMetrics {
  readonly type: 'modelMetrics';
  readonly modelId: string;
  readonly metrics: readonly {
    readonly key: string;
    readonly value: number;
    readonly timestamp: number | bigint;
    readonly step: number | bigint;
    readonly runId: string;
    /** Empty: none. */
    readonly datasetName: string;
    readonly datasetDigest: string;
  }[];
}

/** A trace without its spans; these are the file `traces.json` among its artifacts. */
export interface ImportedTrace {
  readonly type: 'trace';
  readonly traceId: string;
  readonly experimentId: string;
  readonly requestTime: number;
  /** Milliseconds; null: it has not ended. */
  readonly executionDuration: number | null;
  readonly state: 'STATE_UNSPECIFIED' | 'OK' | 'ERROR' | 'IN_PROGRESS';
  readonly clientRequestId: string | null;
  readonly requestPreview: string | null;
  readonly responsePreview: string | null;
  readonly tags: readonly KeyValue[];
  /** `mlflow.sourceRun` is the run in which it was made. */
  readonly metadata: readonly KeyValue[];
  /** In the order in which they were made. */
  readonly assessments: readonly Assessment[];
  /** Ids of runs to which it was linked afterwards. */
  readonly linkedRuns: readonly string[];
  /** As `name/version`. */
  readonly linkedPrompts: readonly string[];
}

export interface ImportedRegisteredModel {
  readonly type: 'registeredModel';
  readonly name: string;
  readonly description: string;
  readonly creationTime: number;
  readonly lastUpdateTime: number;
  readonly tags: readonly KeyValue[];
}

export interface ImportedModelVersion {
  readonly type: 'modelVersion';
  readonly name: string;
  readonly version: number;
  /** A deleted version only keeps its number from being used again. */
  readonly deleted: boolean;
  readonly stage: (typeof stages)[number];
  readonly description: string;
  readonly userId: string;
  readonly source: string;
  /** The artifacts among which its files lie, when they were imported too; they take the place of `source`. */
  readonly files: { readonly owner: ArtifactOwner; readonly path: string } | null;
  readonly runId: string | null;
  readonly runLink: string;
  /** The logged model that it was made from. */
  readonly modelId: string | null;
  readonly status: 'PENDING_REGISTRATION' | 'FAILED_REGISTRATION' | 'READY';
  readonly statusMessage: string;
  readonly creationTime: number;
  readonly lastUpdateTime: number;
  readonly tags: readonly KeyValue[];
}

/** All aliases of a registered model; comes after its versions. */
export interface ImportedModelAliases {
  readonly type: 'modelAliases';
  readonly name: string;
  readonly aliases: readonly { readonly alias: string; readonly version: number }[];
}

/**
 * Says that a part of the source, such as one run, has been yielded completely, and what it looked like. The next reading
 * is told so (`ReadOptions.known`) and leaves out what still looks the same. Everything since the part before belongs to
 * it.
 */
export interface ImportedPart {
  readonly type: 'part';
  /** Stable, such as `run/<id>`. */
  readonly key: string;
  /** Short; changes whenever something in it does, such as a digest over sizes and times of its files. */
  readonly state: string;
  /** The run that the part is, when it is one: a part whose run is no longer here is read again. */
  readonly runId: string | null;
}

/**
 * Why something was not taken. `{name}` stands for a value of the omission; the texts double as translation keys of
 * `l10n/bundle.l10n.*.json`.
 */
export const omissionReasons = {
  unreadable: 'It cannot be read: {detail}',
  invalidKey: 'Its key is not one that MLflow allows: {detail}',
  keyChanged: 'MLflow does not allow its key; here it is called {key}.',
  damaged: 'It is damaged from byte {offset} on: {detail}. What can be read was taken.',
  guessedRole: 'The file does not say what these are; they were taken as {role}.',
  invalidValue: 'Its value cannot be kept: {detail}',
  conflict: 'Here it is {here}, in the source it is {there}; it stays as it is here.',
  experimentDeleted: 'The experiment "{experiment}" was deleted here. Restore it, then import again.',
  missingRun: 'It belongs to the run {run}, which is not there.',
  missingExperiment: 'It belongs to an experiment that is not there.',
  versionTaken: 'Version {version} of "{model}" is another one here.',
  filesElsewhere:
    'Its files lie outside of what is imported, in {location}. To take them, import again and choose that folder, or import with --remap {location}=FOLDER.',
  filesRemote: 'Its files stay in {location}, from where they cannot be copied.',
  filesMissing: 'Its files are not in {location}.',
  leadsOutside: 'The link leads out of what is imported.',
  notSupported: 'Slipway cannot keep this: {detail}',
  noPlaceThere: 'An mlruns folder has no place for this: {detail}',
} as const satisfies Record<string, string>;
export type OmissionReason = keyof typeof omissionReasons;

/** Something that was not taken, or not as it is in the source. Never silent: the person is shown all of them. */
export interface ImportOmission {
  readonly type: 'omission';
  /** What it is, as a path in the source's own words, such as `run 3f…/metrics/loss line 7`. */
  readonly subject: string;
  readonly reason: OmissionReason;
  readonly values: Readonly<Record<string, string | number>>;
}

/** How far a reading is. */
export interface ImportProgress {
  readonly type: 'progress';
  readonly done: number;
  /** In the unit of `done`; 0 when it is not known. */
  readonly total: number;
  /** What it is at, such as a run's name. */
  readonly message: string;
}

/** An artifact location's beginning and what stands in its place on this machine, an absolute path. */
export interface LocationRemap {
  readonly from: string;
  readonly to: string;
}

/** What an import did. Counts are of what is new or changed in the store. */
export interface ImportReport {
  readonly kind: ImportKind;
  readonly path: string;
  readonly experiments: number;
  readonly runs: number;
  readonly points: number;
  readonly artifacts: number;
  readonly loggedModels: number;
  readonly traces: number;
  readonly registeredModels: number;
  readonly modelVersions: number;
  /** Parts that looked as they did when they were last imported. */
  readonly unchangedParts: number;
  readonly omissionCount: number;
  /** The first of them. */
  readonly omissions: readonly Omit<ImportOmission, 'type'>[];
}

const path = z.string().min(1);
const remaps = z.array(z.object({ from: z.string().min(1), to: z.string().min(1) }));

/** What the extension host asks the engine about imports and exports. */
export const importRequests = {
  /** What there is to import at an absolute path; empty when nothing is recognised. */
  'interop/detect': request<readonly ImportDetection[]>()(z.object({ path })),
  /**
   * Imports one source. Can be cancelled; what was imported by then stays, and the next import goes on from there. With
   * `keepInSync` it answers after the first reading and goes on until `interop/stopSync` or the engine's end.
   */
  'interop/import': request<ImportReport>()(
    z.object({ path, kind: z.enum(importKinds), remaps, keepInSync: z.boolean() }),
  ),
  /** Sources that are kept in sync. */
  'interop/syncs': request<readonly { readonly kind: ImportKind; readonly path: string }[]>()(z.object({})),
  /** Ends the sync of a source. */
  'interop/stopSync': request<null>()(z.object({ path, kind: z.enum(importKinds) })),
  /** All that was not taken from a source, in the order of the source. */
  'interop/omissions': request<readonly Omit<ImportOmission, 'type'>[]>()(
    z.object({ path, kind: z.enum(importKinds) }),
  ),
  /** Writes a run, or all runs of an experiment, as an `mlruns` folder into `folder`, an absolute path. */
  'interop/export': request<ExportReport>()(
    z.object({
      runId: z.string().min(1).max(256).nullable(),
      /** When `runId` is null. */
      experimentId: z.string().min(1).nullable(),
      folder: path,
    }),
  ),
} as const;

/** What an export wrote. */
export interface ExportReport {
  /** The `mlruns` folder, absolute. */
  readonly folder: string;
  readonly runs: number;
  readonly points: number;
  readonly artifacts: number;
  readonly loggedModels: number;
  readonly traces: number;
  readonly omissions: readonly Omit<ImportOmission, 'type'>[];
}
