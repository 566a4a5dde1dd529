import BetterSqlite3 from 'better-sqlite3';
import { createLoggedValuesReader, type StoredValues } from '../../src/protocol/loggedValues.ts';

export interface LogRow {
  readonly request_id: string;
  readonly received_at: number;
  readonly model_version: number;
  readonly variant: string;
  readonly row_count: number;
  readonly status: number;
  readonly latency_us: number;
  /** JSON text. */
  readonly inputs: string | null;
  readonly outputs: string | null;
}

/** The requests of an inference log, with their values as text. */
export function readLog(file: string): LogRow[] {
  const database = new BetterSqlite3(file, { readonly: true });
  try {
    const reader = createLoggedValuesReader(database);
    const rows = database
      .prepare<[], LogRow & StoredValues>(`SELECT *, ${reader.columns} FROM requests ORDER BY id`)
      .all();
    return rows.map((row) => ({
      ...row,
      inputs: reader.text(row, 'inputs'),
      outputs: reader.text(row, 'outputs'),
    }));
  } finally {
    database.close();
  }
}

/** Waits until the log has so many rows: they are written a moment after the answer. */
export async function waitForRows(file: string, count: number): Promise<LogRow[]> {
  for (;;) {
    const rows = readLog(file);
    if (rows.length >= count) return rows;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
