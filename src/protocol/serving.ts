import { z } from 'zod';
import type { ErrorData } from './errors.ts';
import { request } from './request.ts';

export const endpointStates = ['starting', 'ready', 'stopped', 'failed'] as const;
export type EndpointState = (typeof endpointStates)[number];

export interface EndpointSummary {
  readonly name: string;
  readonly modelName: string;
  readonly modelVersion: number;
  readonly state: EndpointState;
  /** Such as `http://127.0.0.1:49152`; null unless ready. */
  readonly url: string | null;
  /** UTC milliseconds; null when it never was ready. */
  readonly readySince: number | null;
  readonly requestCount: number;
  readonly errorCount: number;
  /** Why it failed; null unless failed. */
  readonly failure: ErrorData | null;
}

/** An input or output of a served model, in the words of the Open Inference Protocol. */
export interface TensorDescription {
  readonly name: string;
  /** BOOL, INT64, FP32, BYTES, ... */
  readonly datatype: string;
  /** -1 stands for a size that may vary. */
  readonly shape: readonly number[];
}

export interface EndpointDescription {
  readonly endpoint: EndpointSummary;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** The address to send predictions to, in the Open Inference Protocol. */
  readonly inferUrl: string;
  /** A request body that the model accepts, for `inferUrl`. */
  readonly exampleRequest: string;
  /** Sent as `Authorization: Bearer <token>`; null when the engine runs without one. */
  readonly token: string | null;
}

const endpoint = z.string().min(1).max(256);

/** What the extension host asks the engine about endpoints. */
export const servingRequests = {
  /** All endpoints, running or not, by name. */
  'serving/endpoints': request<readonly EndpointSummary[]>()(z.object({})),
  /**
   * Serves a version on this machine and answers when it is ready. The endpoint bears the model's name; one that
   * already runs is moved to the given version, on its old port. `port` null means the old port or a free one.
   */
  'serving/start': request<EndpointSummary>()(
    z.object({
      modelName: endpoint,
      modelVersion: z.number().int().positive(),
      port: z.number().int().min(1).max(65535).nullable(),
    }),
  ),
  /** Ends the endpoint's process; its definition and its inference log stay. */
  'serving/stop': request<EndpointSummary>()(z.object({ endpoint })),
  'serving/describe': request<EndpointDescription>()(z.object({ endpoint })),
  /** Sends one request to a ready endpoint and gives the answer as text. */
  'serving/sendRequest': request<{
    readonly status: number;
    readonly body: string;
    readonly milliseconds: number;
  }>()(z.object({ endpoint, body: z.string() })),
} as const;
