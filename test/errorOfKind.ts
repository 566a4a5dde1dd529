import { type ErrorKind, SlipwayError } from '../src/protocol/errors.ts';

/** Whether something thrown is Slipway's error of a kind, for `assert.throws` and `assert.rejects`. */
export const errorOfKind =
  (kind: ErrorKind) =>
  (error: unknown): boolean =>
    error instanceof SlipwayError && error.kind === kind;
