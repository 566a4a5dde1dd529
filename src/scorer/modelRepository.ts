import type { IncomingHttpHeaders } from 'node:http';
import type { Predictor } from '../inference/predictor.ts';
import type { JsonObject } from './requestBody.ts';

/** A version that is in memory and warm. */
export interface LoadedVersion {
  readonly name: string;
  readonly version: number;
  /** Its aliases and its stage: clients may ask for it by them. */
  readonly labels: readonly string[];
  /** What runs it: this process, or the person's interpreter. */
  readonly runtime: 'onnx' | 'python';
  readonly predictor: Predictor;
  /** SHA-256 of the model's file in hexadecimal digits; null when unknown. */
  readonly digest: string | null;
  /** What its file says of itself, such as its opset. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  /** Requests whose run has not ended now. */
  readonly pending: () => number;
}

/** A version's number as a client writes it; null when it is none. */
export function versionNumber(text: string): number | null {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
}

/** What a request says of the version that it wants. Without `version` and `label` the traffic split decides. */
export interface VersionWish {
  /** As the client wrote it. */
  readonly version?: string | undefined;
  readonly label?: string | undefined;
  /** A variant of the split by its name; met unless it has no share. */
  readonly variant?: string | undefined;
  /** Where a sticky key may lie. */
  readonly parameters?: JsonObject | undefined;
}

/** A version that a request was led to. */
export interface ChosenVersion {
  readonly loaded: LoadedVersion;
  /** As in the traffic split, or `version` when the client asked for one. */
  readonly variant: string;
}

/** The models of an endpoint, as the protocols see them. */
export interface ModelRepository {
  /** False while the scorer drains. */
  isReady(): boolean;
  /** The model that an address without a model's name asks. */
  readonly main: string;
  /** By name. */
  names(): readonly string[];
  /** Highest first; none when there is no such model. */
  versions(name: string): readonly LoadedVersion[];
  /** The version that the most requests without a wish meet: the first of the split. Null: no such model. */
  stable(name: string): LoadedVersion | null;
  /**
   * Leads a request to a version.
   *
   * @throws RequestProblem 404 when there is no such model, version or label; the sentence names those that are there.
   */
  choose(name: string, wish: VersionWish, headers: IncomingHttpHeaders): ChosenVersion;
}
