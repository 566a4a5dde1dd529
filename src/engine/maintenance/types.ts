/** The nouns of a permanent delete. Keys are those inside the store. */

export interface StoredExperiment {
  readonly key: number;
  readonly name: string;
  readonly location: string;
}

export interface StoredRun {
  readonly key: number;
  readonly runId: string;
  readonly name: string;
  readonly experiment: number;
  readonly artifactUri: string;
  readonly points: number;
}

export interface StoredModel {
  readonly key: number;
  readonly modelId: string;
  readonly name: string;
  readonly experiment: number;
  /** Null when no run made it, or when that was deleted for good. */
  readonly sourceRun: number | null;
  readonly artifactUri: string;
}

/** A registered version, and what it is made of. */
export interface StoredVersion {
  readonly model: string;
  readonly version: number;
  readonly runId: string | null;
  readonly modelId: string | null;
  /** The URI of its files. */
  readonly location: string;
}

/** A run that uses a logged model, as its input or its output. */
export interface ModelUse {
  readonly modelId: string;
  readonly run: number;
  readonly runName: string;
}

/** A run whose input data name something in this store. */
export interface DataUse {
  readonly run: number;
  readonly runName: string;
  readonly source: string;
}

/** Where something in the store keeps its files. */
export interface StoredLocation {
  readonly owner: 'experiment' | 'run' | 'loggedModel' | 'trace' | 'version';
  /** 0 for a version. */
  readonly key: number;
  /** Null for a version. */
  readonly experiment: number | null;
  readonly uri: string;
}

export interface PageFigures {
  readonly pageBytes: number;
  readonly pages: number;
  readonly freePages: number;
}
