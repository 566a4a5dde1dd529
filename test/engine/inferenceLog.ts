import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Columns, writeInferenceLogFile } from '../inferenceLogFile.ts';

export interface LoggedRequest {
  /** UTC milliseconds. */
  readonly receivedAt: number;
  /** Columns as a scorer logs them; null for a request that was refused. */
  readonly inputs: Columns | null;
}

/** Writes an inference log, as no endpoint needs to run for it. */
export function writeInferenceLog(file: string, requests: Iterable<LoggedRequest>): void {
  mkdirSync(dirname(file), { recursive: true });
  writeInferenceLogFile(
    file,
    Array.from(requests, (request, index) => ({ id: `r${index + 1}`, ...request })),
  );
}

/** These columns of rows as requests of ten rows each, one a second. */
export function requestsOf(rows: readonly object[], names: readonly string[]): LoggedRequest[] {
  const size = 10;
  return Array.from({ length: rows.length / size }, (_, request) => ({
    receivedAt: 1_000_000 + request * 1000,
    inputs: Object.fromEntries(
      names.map((name) => [
        name,
        rows.slice(request * size, (request + 1) * size).map((row) => Reflect.get(row, name)),
      ]),
    ),
  }));
}
