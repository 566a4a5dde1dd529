import { z } from 'zod';

const metricSample = z.object({
  /** What follows the family's name, as `_bucket`; nothing for counters and gauges. */
  suffix: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  value: z.number(),
});
export type MetricSample = Readonly<z.infer<typeof metricSample>>;

/** A metric in the terms of Prometheus: its samples are told apart by their labels. */
export const metricFamily = z.object({
  name: z.string(),
  help: z.string(),
  type: z.enum(['counter', 'gauge', 'histogram']),
  /** What stands for several processes that answer for the same endpoint: the sum, unless it says otherwise. */
  across: z.enum(['sum', 'least', 'greatest']).optional(),
  samples: z.array(metricSample).readonly(),
});
export type MetricFamily = Readonly<z.infer<typeof metricFamily>>;
