/** A version that the log knows by a number, so that requests need not name it. */
export interface LoggedModel {
  readonly name: string;
  readonly version: number;
  /** JSON text of a `ValueLayout`. */
  readonly layout: string;
}

/** One prediction request and what became of it, as the log is told. */
export interface LoggedRequest {
  readonly requestId: string;
  /** UTC milliseconds. */
  readonly receivedAt: number;
  readonly status: number;
  readonly latencyMicroseconds: number;
  /** The number that the model was announced under; null for a request that was refused before it was chosen. */
  readonly model: number | null;
  readonly variant: string;
  /** 0 for a request that was refused. */
  readonly rowCount: number;
  /** What was asked and answered, as `src/protocol/packedTensors.ts` describes it; null for a request that was refused. */
  readonly packed: Uint8Array | null;
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
