import { z } from 'zod';
import { request } from './request.ts';
import type { MetricValue } from './tracking.ts';

export const stages = ['None', 'Staging', 'Production', 'Archived'] as const;
export type Stage = (typeof stages)[number];

export interface RegisteredModelSummary {
  readonly name: string;
  readonly versionCount: number;
  readonly latestVersion: number | null;
  readonly productionVersion: number | null;
  /** UTC milliseconds. */
  readonly lastUpdated: number;
}

export interface ModelVersionSummary {
  readonly name: string;
  readonly version: number;
  readonly stage: Stage;
  readonly aliases: readonly string[];
  readonly runId: string | null;
  readonly runName: string | null;
  readonly mainMetric: MetricValue | null;
  /** Flavour names of its MLmodel file, such as "onnx". */
  readonly flavors: readonly string[];
  /** UTC milliseconds. */
  readonly createdAt: number;
}

/** One change of stage, kept for good. */
export interface StageTransition {
  readonly name: string;
  readonly version: number;
  readonly from: Stage;
  readonly to: Stage;
  readonly who: string;
  readonly why: string;
  /** UTC milliseconds. */
  readonly when: number;
}

const name = z.string().min(1).max(256);
const version = z.number().int().positive();

/** What the extension host asks the engine about the model registry. */
export const registryRequests = {
  /** Registered models, by name; prompts are left out. */
  'registry/models': request<readonly RegisteredModelSummary[]>()(z.object({})),
  /** Versions of a model, newest first. */
  'registry/versions': request<readonly ModelVersionSummary[]>()(z.object({ name })),
  'registry/version': request<ModelVersionSummary>()(z.object({ name, version })),
  /** Makes a run's logged model a new version; creates the registered model when it is not there. */
  'registry/register': request<ModelVersionSummary>()(
    z.object({ name, runId: z.string(), modelId: z.string() }),
  ),
  /** Moves a version to a stage. Versions that hold Staging or Production before it are archived. */
  'registry/promote': request<{
    readonly promoted: ModelVersionSummary;
    readonly archived: readonly number[];
  }>()(z.object({ name, version, stage: z.enum(stages), who: z.string().min(1), why: z.string() })),
  /** Changes of stage of a model, newest first. */
  'registry/transitions': request<readonly StageTransition[]>()(z.object({ name })),
} as const;
