import { z } from 'zod';
import type { Detail } from './errorDetails.ts';
import { request } from './request.ts';

/** Formats of data files that are scored and written: `csv` and `tsv` have a header, `jsonl` one object a line. */
export const dataFormats = ['csv', 'tsv', 'parquet', 'jsonl'] as const;
export type DataFormat = (typeof dataFormats)[number];

/** Endings of files that can be scored, without the dot and without `.gz`. */
export const dataFileEndings = {
  csv: 'csv',
  tsv: 'tsv',
  parquet: 'parquet',
  pq: 'parquet',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
} as const satisfies Record<string, DataFormat>;

/** What a file's name says of its content; null when its ending is none of `dataFileEndings`. */
export function formatOfName(path: string): DataFormat | null {
  const ending = /\.([a-z]+)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  const known = Object.entries(dataFileEndings).find(([name]) => name === ending);
  // Parquet files are compressed inside.
  return known && !(known[1] === 'parquet' && isGzipName(path)) ? known[1] : null;
}

/** Whether a text file is compressed, as its name says. */
export function isGzipName(path: string): boolean {
  return /\.gz$/i.test(path);
}

/** What is scored, and how. */
export const scoreOptions = z.object({
  /** Absolute path of a file with one row for each prediction. */
  input: z.string().min(1),
  /** Absolute path of the file to write. What is done is kept beside it, in a folder `<output>.slipway-partial`. */
  output: z.string().min(1),
  /** Null: as the file's name ends. */
  inputFormat: z.enum(dataFormats).nullable(),
  outputFormat: z.enum(dataFormats).nullable(),
  /** Leaves the columns of the input out of the output. */
  onlyPredictions: z.boolean(),
  /** Throws away what an earlier try has left, instead of going on from there. */
  restart: z.boolean(),
  /** Replaces an output that is there already. */
  force: z.boolean(),
});
export type ScoreOptions = z.infer<typeof scoreOptions>;

/** What came of it. */
export interface ScoreReport {
  readonly model: string;
  readonly version: number;
  /** SHA-256 of the model in hexadecimal digits. */
  readonly digest: string;
  readonly output: string;
  /** Absolute path of the JSON file that says what Parquet has in itself; null for Parquet. */
  readonly metadataFile: string | null;
  /** Rows of the input, and of the output. */
  readonly rows: number;
  /** Rows that an earlier try had scored. */
  readonly resumedRows: number;
  /** Names of the columns of predictions, as the output has them. */
  readonly predictionColumns: readonly string[];
  readonly milliseconds: number;
  readonly warnings: readonly (string | Detail)[];
}

/** How far a job is: travels as JSON text in the `message` of its progress. */
export const scoreProgress = z.object({
  phase: z.enum(['reading', 'scoring', 'writing']),
  /** Rows that are scored. */
  rows: z.number(),
  totalRows: z.number(),
  /** Since it began; 0 at first. */
  rowsPerSecond: z.number(),
});
export type ScoreProgress = z.infer<typeof scoreProgress>;

/** The progress that a message carries; null when it carries none. */
export function readScoreProgress(message: string): ScoreProgress | null {
  try {
    return scoreProgress.safeParse(JSON.parse(message)).data ?? null;
  } catch {
    return null;
  }
}

/** The folder in which a job keeps what is done, so that it can go on after it was cancelled or killed. */
export function partialFolder(output: string): string {
  return `${output}.slipway-partial`;
}

/** What the extension host asks the engine about batch scoring. */
export const scoringRequests = {
  /**
   * Asks a version for a prediction for each row of a file. Cancelled or failed, it goes on from where it was when it
   * is asked for again.
   */
  'serving/score': request<ScoreReport>()(
    scoreOptions.extend({
      modelName: z.string().min(1).max(256),
      modelVersion: z.number().int().positive(),
    }),
  ),
} as const;
