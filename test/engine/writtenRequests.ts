import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { upgradeInferenceLog } from '../../src/scorer/inferenceLogSchema.ts';

/** A request as a scorer logs it; what is left out is usual. */
export interface WrittenRequest {
  readonly id: string;
  readonly receivedAt?: number;
  readonly version?: number;
  readonly variant?: string;
  readonly status?: number;
  readonly rows?: number;
  /** JSON texts; left out of a request that was refused. */
  readonly inputs?: string;
  readonly outputs?: string;
}

export interface WrittenFeedback {
  readonly id: string;
  readonly truth?: string;
  readonly reward?: number;
}

/** Writes an inference log of requests for the model `wine`, as no endpoint needs to run for it. */
export function writeRequests(
  file: string,
  requests: readonly WrittenRequest[],
  feedback: readonly WrittenFeedback[] = [],
): void {
  mkdirSync(dirname(file), { recursive: true });
  const log = new BetterSqlite3(file);
  try {
    upgradeInferenceLog(log);
    const insert = log.prepare(
      `INSERT INTO requests
         (request_id, received_at, model_name, model_version, variant, row_count, status, latency_us, inputs, outputs)
       VALUES (?, ?, ?, ?, ?, ?, ?, 1500, ?, ?)`,
    );
    for (const [index, request] of requests.entries()) {
      const { id, inputs = null, outputs = null, rows = inputs === null ? 0 : 1 } = request;
      const { receivedAt = Date.UTC(2026, 2, 1) + index * 1000, version = 1, variant = 'stable' } = request;
      const status = request.status ?? (inputs === null ? 400 : 200);
      insert.run(
        id,
        receivedAt,
        inputs === null ? null : 'wine',
        inputs === null ? 0 : version,
        variant,
        rows,
        status,
        inputs,
        outputs,
      );
    }
    const tell = log.prepare(
      'INSERT INTO feedback (request_id, received_at, truth, reward) VALUES (?, 1, ?, ?)',
    );
    for (const { id, truth = null, reward = null } of feedback) tell.run(id, truth, reward);
  } finally {
    log.close();
  }
}
