import type { RequestBlock } from './requestBlock.ts';

/** A version that the log knows by a number, so that requests need not name it. */
export interface LoggedModel {
  readonly name: string;
  readonly version: number;
  /** JSON text of a `ValueLayout`. */
  readonly layout: string;
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

/** What is written to the log together. */
export interface LogEntries {
  readonly requests: RequestBlock;
  readonly feedback: readonly LoggedFeedback[];
}
