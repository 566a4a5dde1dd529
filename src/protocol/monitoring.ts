import { z } from 'zod';
import { request } from './request.ts';

/** A test of one column: its statistic and how likely a value as extreme is without drift. */
export interface TestResult {
  readonly statistic: number;
  readonly pValue: number;
}

/** Shares of the rows by bin. `reference` and `current` have one length and each sums to 1 (0 when empty). */
export type DriftHistogram =
  | {
      readonly kind: 'numeric';
      /** One more than there are bins, ascending. Values beyond them are counted in the first or last bin. */
      readonly edges: readonly number[];
      readonly reference: readonly number[];
      readonly current: readonly number[];
    }
  | {
      readonly kind: 'categorical';
      /** Most frequent first. */
      readonly levels: readonly string[];
      /** Whether the last of `levels` stands for all further ones. */
      readonly hasOther: boolean;
      readonly reference: readonly number[];
      readonly current: readonly number[];
    };

export interface ColumnDrift {
  readonly name: string;
  /**
   * `values`: PSI reached its limit and the test's p-value is not above `significance`. `missing`: the share of missing
   * values moved, by the same rule. Both may hold.
   */
  readonly driftedIn: readonly ('values' | 'missing')[];
  /** Whether `driftedIn` names anything. */
  readonly drifted: boolean;
  /** Population stability index. */
  readonly psi: number;
  /** What PSI must reach, at this sample size, to count as drift. */
  readonly psiLimit: number;
  /** Kolmogorov-Smirnov for numbers, chi-square for categories. */
  readonly test: TestResult & { readonly name: 'kolmogorovSmirnov' | 'chiSquare' };
  readonly histogram: DriftHistogram;
  /** Shares of missing values: null, empty, NaN, and text that is no number where the reference has numbers. */
  readonly missing: { readonly reference: number; readonly current: number };
  /** Number of non-missing values on each side. */
  readonly counts: { readonly reference: number; readonly current: number };
  /** How many of them are infinite. They take part in the comparison, and are drawn in the outermost bins. */
  readonly infinite: { readonly reference: number; readonly current: number };
}

export interface DriftReport {
  readonly endpoint: string;
  readonly referenceLabel: string;
  readonly referenceRows: number;
  readonly currentRows: number;
  /** UTC milliseconds: the chosen window. */
  readonly from: number;
  readonly to: number;
  /** What the p-value of a drifted column may not exceed. */
  readonly significance: number;
  /** The one that moved most first, measured by PSI over its limit. */
  readonly columns: readonly ColumnDrift[];
  /** Columns of one side only, so not compared. */
  readonly referenceOnly: readonly string[];
  readonly currentOnly: readonly string[];
}

/** Where reference data may come from: a dataset logged with the run, or a file that the person chose. */
export interface ReferenceSource {
  readonly label: string;
  readonly file: string;
}

export interface DriftSources {
  readonly endpoint: string;
  /** Datasets of the run behind the endpoint that lie on this machine; the training one first. */
  readonly references: readonly ReferenceSource[];
  /** UTC milliseconds of the first and last logged request; null when there is none. */
  readonly firstRequest: number | null;
  readonly lastRequest: number | null;
  /** Logged rows: a request may hold several. */
  readonly rowCount: number;
}

const endpoint = z.string().min(1).max(256);

/** What the extension host asks the engine about drift. */
export const monitoringRequests = {
  'monitoring/driftSources': request<DriftSources>()(z.object({ endpoint })),
  /** Compares reference data with the requests logged in a window. Runs in a worker; can be cancelled. */
  'monitoring/drift': request<DriftReport>()(
    z.object({
      endpoint,
      /** An absolute path; null takes the first of `driftSources`. */
      referenceFile: z.string().nullable(),
      from: z.number(),
      to: z.number(),
    }),
  ),
} as const;
