import { z } from 'zod';
import { request } from './request.ts';
import { dataFormats } from './scoring.ts';

/** Which requests of an inference log are meant; null means any. */
export const requestFilter = z.object({
  /** UTC milliseconds, both included. */
  from: z.number().nullable().default(null),
  to: z.number().nullable().default(null),
  version: z.number().int().positive().nullable().default(null),
  /** Such as `stable`, `candidate`, `shadow` or `version`. */
  variant: z.string().min(1).nullable().default(null),
  /** Only those with a status of 400 and more, or only the others. */
  failed: z.boolean().nullable().default(null),
  requestId: z.string().min(1).nullable().default(null),
});
export type RequestFilter = z.infer<typeof requestFilter>;
export type RequestFilterInput = z.input<typeof requestFilter>;

/** One request of an inference log. */
export interface LoggedRequestEntry {
  readonly id: number;
  readonly requestId: string;
  /** UTC milliseconds. */
  readonly receivedAt: number;
  /** Null when it was refused before a version was chosen. */
  readonly model: string | null;
  readonly version: number | null;
  readonly variant: string;
  readonly rowCount: number;
  readonly status: number;
  readonly latencyMilliseconds: number;
  /** JSON texts, cut off after some thousand characters; null for a request that was refused. */
  readonly inputs: string | null;
  readonly outputs: string | null;
}

export interface LoggedRequestPage {
  /** Newest first. */
  readonly requests: readonly LoggedRequestEntry[];
  /** Where the next page begins; null at the end of the log. A page may be empty before it. */
  readonly before: number | null;
}

/** What an export wrote. */
export interface RequestExportReport {
  readonly output: string;
  readonly requests: number;
  /** Rows of the file: one for each row of a request. */
  readonly rows: number;
}

/** How the predictions of a version compare to those that clients got. */
export interface ReplayReport {
  readonly model: string;
  readonly version: number;
  /** The versions that answered then. */
  readonly loggedVersions: readonly number[];
  readonly requests: number;
  readonly rows: number;
  /** Rows whose outputs all agree: equal labels, and numbers that differ by at most 1e-4 in relation. */
  readonly equalRows: number;
  readonly outputs: readonly {
    readonly name: string;
    readonly equalRows: number;
    /** Over the numbers that both gave; null where there are none. */
    readonly meanAbsoluteDifference: number | null;
    readonly largestAbsoluteDifference: number | null;
  }[];
  /** Outputs that only one side gives, or whose values were redacted. */
  readonly outputsNotCompared: readonly string[];
  /** Requests that the version could not answer, and why, for the first of them. */
  readonly failedRequests: number;
  readonly failures: readonly { readonly requestId: string; readonly reason: string }[];
  /** The rows that differ most, as JSON texts. */
  readonly examples: readonly {
    readonly requestId: string;
    readonly receivedAt: number;
    readonly row: number;
    readonly inputs: string;
    readonly before: string;
    readonly after: string;
  }[];
}

const endpoint = z.string().min(1).max(256);

/** What the extension host asks the engine about the requests that endpoints logged. */
export const loggedRequests = {
  /** A page of an endpoint's log. `before` null begins with the newest. */
  'requests/page': request<LoggedRequestPage>()(
    z.object({
      endpoint,
      filter: requestFilter,
      before: z.number().int().nullable(),
      limit: z.number().int().min(1).max(1000),
    }),
  ),
  /** Writes requests as rows of a data file, whose absolute path is given. */
  'requests/export': request<RequestExportReport>()(
    z.object({
      endpoint,
      filter: requestFilter,
      output: z.string().min(1),
      format: z.enum(dataFormats).nullable(),
    }),
  ),
  /** Asks a version of the endpoint's model what clients asked, and compares. */
  'requests/replay': request<ReplayReport>()(
    z.object({
      endpoint,
      filter: requestFilter,
      modelVersion: z.number().int().positive(),
      /** At most so many of the latest requests. */
      limit: z.number().int().min(1).max(1_000_000),
    }),
  ),
} as const;
