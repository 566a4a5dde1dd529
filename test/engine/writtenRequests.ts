import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { parseLogged } from '../../src/worker/requests/loggedJson.ts';
import { type Columns, writeInferenceLogFile } from '../inferenceLogFile.ts';

/** A request as a scorer logs it; what is left out is usual. */
export interface WrittenRequest {
  readonly id: string;
  readonly receivedAt?: number;
  readonly version?: number;
  readonly variant?: string;
  readonly status?: number;
  /** JSON texts; left out of a request that was refused. */
  readonly inputs?: string;
  readonly outputs?: string;
}

export interface WrittenFeedback {
  readonly id: string;
  readonly truth?: string;
  readonly reward?: number;
}

const columns = z.record(z.string(), z.array(z.unknown()).nullable());

/** Writes an inference log of requests for the model `wine`, as no endpoint needs to run for it. */
export function writeRequests(
  file: string,
  requests: readonly WrittenRequest[],
  feedback: readonly WrittenFeedback[] = [],
): void {
  mkdirSync(dirname(file), { recursive: true });
  const columnsOf = (text: string | undefined): Columns | null =>
    text === undefined ? null : columns.parse(parseLogged(text));
  writeInferenceLogFile(
    file,
    requests.map(({ inputs, outputs, ...request }, index) => ({
      receivedAt: Date.UTC(2026, 2, 1) + index * 1000,
      ...request,
      inputs: columnsOf(inputs),
      outputs: columnsOf(outputs),
    })),
    feedback.map((told) => ({ ...told, receivedAt: 1 })),
  );
}
