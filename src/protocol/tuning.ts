import { z } from 'zod';
import { request } from './request.ts';
import type { Saying } from './servingSentences.ts';

/** How a model may be run: threads of each run, scorer processes, and rows that are run together at most. */
export const runtimeChoice = z.object({
  threads: z.number().int().positive(),
  processes: z.number().int().positive(),
  batchRows: z.number().int().positive(),
});
export type RuntimeChoice = Readonly<z.infer<typeof runtimeChoice>>;

/** So many connections wait for an answer while the rate is measured. */
export const tuningConnections = 32;

/** What a way to run a model came to. */
export interface Measurement extends RuntimeChoice {
  /** Requests a second while every connection always waits for an answer. */
  readonly rate: number;
  /** How many times the rate of its best round is that of its worst. */
  readonly spread: number;
  /** Milliseconds under a constant, moderate load. */
  readonly p50: number;
  readonly p99: number;
  /** Processor time for each request in microseconds, and memory of all processes; null where nothing tells it. */
  readonly processorMicroseconds: number | null;
  readonly residentBytes: number | null;
}

/** What was measured of a model on a machine, and what was chosen. */
export interface TuningReport {
  readonly model: string;
  readonly version: number;
  /** Of each request. */
  readonly rows: number;
  readonly machine: { readonly processor: string; readonly cores: number };
  readonly measurements: readonly Measurement[];
  /** One of the measurements. */
  readonly choice: RuntimeChoice;
  /** Why: one for each thing that was decided. */
  readonly reasons: readonly Saying[];
}

/** What is measured: the rows of each request, and the seconds for which each way is, in each round. */
export const tuningPlan = z.object({
  rows: z.number().int().min(1).max(65_536).default(1),
  seconds: z.number().min(0.5).max(600).default(2),
  /** In several, what else the machine does meets all ways, and shows. */
  rounds: z.number().int().min(1).max(2).default(2),
});
/** For a first impression. */
export const quickTuning = { seconds: 0.5, rounds: 1 } as const satisfies Partial<TuningPlan>;
export type TuningPlan = z.infer<typeof tuningPlan>;

const endpoint = z.string().min(1).max(256);

/** What the extension host asks the engine about the way in which endpoints run. */
export const tuningRequests = {
  /** Measures the stable version of an endpoint beside it, in processes of its own that are killed on abort. */
  'tuning/measure': request<TuningReport>()(z.object({ endpoint, plan: tuningPlan })),
  /** The section of `slipway.yaml` that holds a choice, for a person to copy. */
  'tuning/settings': request<string>()(z.object({ endpoint, choice: runtimeChoice })),
  /** Writes a choice into `slipway.yaml`, whose absolute path it gives. What the endpoint serves stays the same. */
  'tuning/write': request<string>()(z.object({ endpoint, choice: runtimeChoice })),
} as const;
