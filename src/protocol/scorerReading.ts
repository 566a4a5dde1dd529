import { z } from 'zod';
import { metricFamily } from './metricFamily.ts';

const duration = z.object({ count: z.number(), microseconds: z.number() });
export type Duration = Readonly<z.infer<typeof duration>>;

/** What one version was asked and how long its parts took, since the process started. */
const versionCounts = z.object({
  /** UTC milliseconds; 0 when it was never asked. */
  lastInference: z.number(),
  success: duration,
  failure: duration,
  /** By request. */
  queue: duration,
  /** By request: a run counts once for each request that shared it. */
  compute: duration,
  /** Rows of runs that succeeded. */
  rowCount: z.number(),
  /** Runs that succeeded. */
  runCount: z.number(),
  /** Runs that succeeded by their number of rows, ascending; beyond some, up to the next power of two. */
  batches: z.array(z.object({ rows: z.number(), compute: duration })).readonly(),
});
export type VersionCounts = Readonly<z.infer<typeof versionCounts>>;

const countedVersion = versionCounts.extend({ name: z.string(), version: z.number() });
export type CountedVersion = Readonly<z.infer<typeof countedVersion>>;

/** What one process of an endpoint counts. */
export const scorerReading = z.object({
  families: z.array(metricFamily).readonly(),
  /** Of all versions that it has loaded. */
  versions: z.array(countedVersion).readonly(),
});
export type ScorerReading = Readonly<z.infer<typeof scorerReading>>;
