import BetterSqlite3 from 'better-sqlite3';
import { createInferenceLogReader } from '../../src/protocol/inferenceLogReader.ts';
import type { RequestRow } from '../../src/worker/requests/requestRows.ts';

/** The requests of an inference log, with their values as text. */
export function readLog(file: string): RequestRow[] {
  const database = new BetterSqlite3(file, { readonly: true });
  try {
    return Array.from(createInferenceLogReader(database).oldestFirst({}), (request) => ({
      ...request,
      inputs: request.text('inputs'),
      outputs: request.text('outputs'),
    }));
  } finally {
    database.close();
  }
}

/** Waits until the log has so many requests: they are written a moment after the answer. */
export async function waitForRows(file: string, count: number): Promise<RequestRow[]> {
  for (;;) {
    const rows = readLog(file);
    if (rows.length >= count) return rows;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
