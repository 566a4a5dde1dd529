import type { ColumnLayout } from '../inference/columns.ts';
import type { Tensor } from '../inference/datatypes.ts';
import type { OutputSpecification, TensorSpecification } from '../inference/model.ts';

/** What of a model is needed to name the columns of its requests. */
export interface LoggedModel {
  readonly name: string;
  readonly version: number;
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly OutputSpecification[];
  readonly layout: ColumnLayout | null;
}

/** One prediction request and what became of it. */
export interface LoggedRequest {
  readonly requestId: string;
  /** UTC milliseconds. */
  readonly receivedAt: number;
  readonly status: number;
  readonly latencyMicroseconds: number;
  /** The number that the model was announced under; null for a request that was refused before it was chosen. */
  readonly model: number | null;
  readonly variant: string;
  /** Null for a request that was refused. */
  readonly values: { readonly feeds: readonly Tensor[]; readonly outputs: readonly Tensor[] } | null;
}

/** What a client told of a request later. */
export interface LoggedFeedback {
  readonly requestId: string;
  /** UTC milliseconds. */
  readonly receivedAt: number;
  /** The true outcome as JSON text; null when only a reward was told. */
  readonly truth: string | null;
  readonly reward: number | null;
}
