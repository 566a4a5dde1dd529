import type { Stage, StageTransition } from '../../protocol/registry.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import type { Query } from '../tracking/types.ts';

export type VersionStatus = 'PENDING_REGISTRATION' | 'FAILED_REGISTRATION' | 'READY';

/** A version of a registered model. Empty texts were never set. */
export interface ModelVersion {
  readonly name: string;
  readonly version: number;
  readonly stage: Stage;
  readonly description: string;
  readonly userId: string;
  /** The URI that whoever registered it named. */
  readonly source: string;
  /** The URI of its files; differs from `source` when that points to a logged model or another version. */
  readonly storageLocation: string;
  readonly runId: string | null;
  readonly runLink: string;
  /** The logged model that it was made from. */
  readonly modelId: string | null;
  readonly status: VersionStatus;
  readonly statusMessage: string;
  readonly aliases: readonly string[];
  readonly tags: readonly KeyValue[];
  /** UTC milliseconds. */
  readonly createdAt: number;
  readonly lastUpdated: number;
}

export interface ModelAlias {
  readonly alias: string;
  readonly version: number;
}

export interface RegisteredModel {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly KeyValue[];
  readonly aliases: readonly ModelAlias[];
  /** The highest version of each stage that has one. */
  readonly latestVersions: readonly ModelVersion[];
  /** UTC milliseconds. */
  readonly createdAt: number;
  readonly lastUpdated: number;
}

/** What `model-versions/create` asks for. */
export interface NewModelVersion {
  readonly name: string;
  readonly source: string;
  readonly runId: string | null;
  readonly modelId: string | null;
  readonly runLink: string;
  readonly description: string;
  readonly tags: readonly KeyValue[];
}

/** A search as MLflow's clients send it. */
export interface RegistrySearch {
  readonly filter: string;
  readonly orderBy: readonly string[];
  readonly maxResults: number;
  readonly pageToken: string | null;
}

export interface RegistryPage<Item> {
  readonly items: readonly Item[];
  /** Null at the end. */
  readonly nextPageToken: string | null;
}

/** A checked search. */
export interface RegistryQuery extends Query {
  /** Whether prompts are among what is searched. */
  readonly prompts: boolean;
}

export type NewTransition = Omit<StageTransition, 'name'>;

/** The tag by which MLflow tells prompts, which live among the registered models, from models. */
export const promptTag = 'mlflow.prompt.is_prompt';
