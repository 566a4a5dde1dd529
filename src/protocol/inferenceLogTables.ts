/**
 * The inference log is an SQLite file (WAL, `user_version` 4) written by the scorer and read by workers:
 *
 *     blocks(id INTEGER PRIMARY KEY, request_count INTEGER, first_at INTEGER, last_at INTEGER, row_count INTEGER,
 *            first_row_at INTEGER, last_row_at INTEGER, request_ids TEXT, variants TEXT, heads BLOB, tensors BLOB)
 *     models(id INTEGER PRIMARY KEY, name TEXT, version INTEGER, layout TEXT)
 *     feedback(id INTEGER PRIMARY KEY, request_id TEXT, received_at INTEGER, truth TEXT, reward REAL)
 *
 * - Requests are written as they were gathered, many in one block: a row for each costs those who answer several times
 *   as much. Requests have numbers in the order in which they were written; `id` is that of a block's first one.
 * - A request is a prediction request that passed the door (token, host, address), refused ones included. What a shadow
 *   answered is a request of its own with the same request id and the variant `shadow`: whoever studies inputs leaves
 *   those out.
 * - `first_at` and `last_at`: when the earliest and the latest of them came, UTC milliseconds, with an index.
 * - `row_count`, `first_row_at`, `last_row_at` count only requests that have rows and were no shadow's; null when there
 *   are none.
 * - `request_ids` is a JSON array, one for each request: what the client gave, else one that was made up; the answer's
 *   header `x-request-id` repeats it. `variants` is a JSON array of names, those of the traffic split or `version` when
 *   the client named one.
 * - `heads` holds `headLength` numbers for each request. `tensors` holds what was asked and answered as packedTensors.ts
 *   describes it, and `layout` of the model tells what goes by which name (loggedValues.ts).
 * - `createInferenceLogReader` gives values as JSON objects that map each column's name, or each tensor's where its
 *   columns have no names, to the array of its values, one element a row (nested arrays where an element is not a
 *   scalar). A model that takes all columns as one tensor is logged by column when the model's signature names them. A
 *   redacted column is null in place of its array. FP32 values have the fewest digits that FP32 tells apart, such as 8.6.
 *   NaN is null, infinities are the strings "Infinity" and "-Infinity", 64-bit integers are exact JSON integers.
 * - `feedback` is what clients told later of a request: the true outcome (JSON, one element a row) or a reward.
 *
 * Requests are gathered and written together, `flushMilliseconds`, 5,000 requests or 4 MB later: killing the process
 * loses no more.
 */
export const inferenceLogVersion = 4;
export const feedbackTable = 'feedback';

/** The name of the variant that only hears what others are asked. */
export const shadowVariant = 'shadow';

/** Where a request's numbers are in its head: 64-bit floating point, little-endian. */
export const headField = {
  /** UTC milliseconds. */
  receivedAt: 0,
  /** Of HTTP. */
  status: 1,
  /** Until the answer was handed to the system. */
  latencyMicroseconds: 2,
  /** A row of `models`, or `noHead` when it was refused before a version was chosen. */
  model: 3,
  /** Its place in `variants`. */
  variant: 4,
  /** 0 when it was refused. */
  rowCount: 5,
  /** Where its tensors begin, `noHead` when it was refused, and where they end. */
  begin: 6,
  end: 7,
} as const;
export const headLength = 8;
export const noHead = -1;
