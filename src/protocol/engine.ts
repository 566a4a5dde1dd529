import { z } from 'zod';
import { conversionRequests } from './conversion.ts';
import type { SettingsProblem } from './endpointSettings.ts';
import { importRequests } from './importing.ts';
import type { LoadTestStep } from './loadTest.ts';
import { maintenanceRequests } from './maintenance.ts';
import { monitoringRequests } from './monitoring.ts';
import { provenanceRequests } from './provenance.ts';
import { pythonConsent, pythonRequests } from './pythonModels.ts';
import { registryRequests } from './registry.ts';
import { type ParamsOf, type ResultOf, request } from './request.ts';
import { loggedRequests } from './requests.ts';
import { scoringRequests } from './scoring.ts';
import { servingRequests } from './serving.ts';
import type { Saying } from './servingSentences.ts';
import { trackingRequests } from './tracking.ts';
import { tuningRequests } from './tuning.ts';

/** What a ready engine says of itself. */
export interface EngineAddress {
  /** Base address of the MLflow REST dialect, such as `http://127.0.0.1:5000`. */
  readonly url: string;
  readonly port: number;
  /** Sent as `Authorization: Bearer <token>`; null when the engine was told to ask for none. */
  readonly token: string | null;
}

/** Every request that the engine answers over JSON-RPC. */
export const engineRequests = {
  /** Must come first: opens the folder's store and starts listening. Null: nothing listens, as it is not trusted. */
  'engine/open': request<EngineAddress | null>()(
    z.object({
      /** Absolute path of the workspace folder; the store lies in its `.slipway/`. */
      workspace: z.string().min(1),
      /** The port that it had before, taken again when it is free. */
      preferredPort: z.number().int().min(1).max(65535).nullable(),
      token: z.string().min(16),
      /** In a folder that is not trusted one may read: nothing listens, starts or is written. */
      trusted: z.boolean(),
      /** Python models that the person allowed before, so that their endpoints come back. */
      pythonConsents: z.array(pythonConsent).optional(),
    }),
  ),
  ...trackingRequests,
  ...provenanceRequests,
  ...registryRequests,
  ...servingRequests,
  ...loggedRequests,
  ...scoringRequests,
  ...tuningRequests,
  ...pythonRequests,
  ...conversionRequests,
  ...monitoringRequests,
  ...maintenanceRequests,
  ...importRequests,
} as const;

export type EngineRequests = typeof engineRequests;
export type EngineMethod = keyof EngineRequests;
export type EngineParams<Method extends EngineMethod> = ParamsOf<EngineRequests, Method>;
export type EngineResult<Method extends EngineMethod> = ResultOf<EngineRequests, Method>;

/**
 * What the engine tells without being asked. Names what changed; who shows it asks for it anew. Empty lists stand for
 * anything: another process wrote to the store.
 */
export interface EngineEvents {
  'tracking/changed': { readonly experimentIds: readonly string[]; readonly runIds: readonly string[] };
  'registry/changed': { readonly models: readonly string[] };
  'serving/changed': { readonly endpoints: readonly string[] };
  'provenance/changed': { readonly runIds: readonly string[] };
  /** Progress of a long request, between 0 and 1. `subject` is whom the request names, such as an endpoint. */
  'job/progress': {
    readonly method: EngineMethod;
    readonly subject: string;
    readonly fraction: number;
    readonly message: string;
  };
  /** A rate of a load test was kept up for its time; more may follow. */
  'serving/loadTestStep': { readonly endpoint: string; readonly step: LoadTestStep };
  /** `slipway.yaml` changed, or was found with something wrong in it; none: it is in force. */
  'serving/settingsRead': { readonly problems: readonly SettingsProblem[] };
  /** The settings or the registry ended the rollout of a version, which nobody may have meant. */
  'serving/rolloutReplaced': {
    readonly endpoint: string;
    readonly version: number;
    readonly reason: Saying;
  };
  /** A line for the output channel; with `endpoint` for that of endpoints. */
  log: {
    readonly level: 'info' | 'warning' | 'error';
    readonly message: string;
    readonly endpoint?: string;
  };
}
export type EngineEvent = keyof EngineEvents;
