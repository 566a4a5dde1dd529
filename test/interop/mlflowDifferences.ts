/** Where a scorer answers another status than MLflow's scoring server, by the name of the request, and why. */
export interface ScoringDifference {
  readonly ours: number;
  readonly theirs: number;
  readonly reason: string;
}

const takenInOrder =
  'The model takes its columns as one tensor, so a list has their order; MLflow only takes them by name.';
const noSilentNaN =
  'pandas fills what is missing with NaN, and the model predicts from it without a word; here the sentence names the row.';
const noSilentCast = 'pandas casts it; here a value is never read as another kind without a word.';

export const scoringDifferences: Readonly<Record<string, ScoringDifference>> = {
  'dataframe_split without columns': { ours: 200, theirs: 400, reason: takenInOrder },
  'instances of lists': { ours: 200, theirs: 400, reason: takenInOrder },
  'inputs of a list': { ours: 200, theirs: 400, reason: takenInOrder },
  'dataframe_split with a ragged row': { ours: 400, theirs: 200, reason: noSilentNaN },
  'dataframe_records that forgets a value': { ours: 400, theirs: 200, reason: noSilentNaN },
  'CSV with a short row': { ours: 400, theirs: 200, reason: noSilentNaN },
  'dataframe_split with digits for a number': { ours: 400, theirs: 200, reason: noSilentCast },
  'dataframe_split with a truth for a number': { ours: 400, theirs: 200, reason: noSilentCast },
  'dataframe_split with a long index': {
    ours: 400,
    theirs: 200,
    reason:
      'pandas repeats the only row for each entry of the index, so that there are answers to rows nobody sent.',
  },
  'dataframe_records of no rows': {
    ours: 200,
    theirs: 400,
    reason: 'No rows have no columns to miss; MLflow answers them too where the columns are sent.',
  },
  'no content type': { ours: 415, theirs: 500, reason: 'MLflow does not expect it and fails.' },
  Parquet: {
    ours: 415,
    theirs: 400,
    reason: 'Reading Parquet takes a library as large as the scorer; files are scored by `slipway score`.',
  },
};

/**
 * What of the bodies differs everywhere:
 *
 * - Bare NaN and Infinity are no JSON: they are null, "Infinity" and "-Infinity" here.
 * - The words of `message`; and a 400 has the code BAD_REQUEST, where MLflow sometimes says INVALID_PARAMETER_VALUE.
 * - `sqlstate` and `error_class`, which are Databricks', and `stack_trace`, which tells a stranger about the server.
 * - `/version` is Slipway's. What FastAPI answers for a wrong method or address, `{"detail": ...}`, has MLflow's form.
 */
export const errorMembers = ['error_code', 'message'] as const;

/** MLflow's JSON as JSON. */
export function readMlflowJson(text: string): unknown {
  return JSON.parse(text.replace(/-?\bInfinity\b/g, '"$&"').replace(/\bNaN\b/g, 'null'));
}
