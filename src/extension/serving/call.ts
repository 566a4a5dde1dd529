import type { EndpointDescription } from '../../protocol/serving.ts';

/** A request to an endpoint, as the programs that are copied send it. */
export interface Call {
  readonly url: string;
  /** JSON. */
  readonly body: string;
  /** Null where none is asked for. */
  readonly token: CallToken | null;
}

/** Written into the program, or read from a variable that the window's terminals have. */
export type CallToken =
  | { readonly from: 'literal'; readonly value: string }
  | { readonly from: 'variable'; readonly variable: string };

/** Set in the terminals of the window, for MLflow's client, too. */
const tokenVariable = 'MLFLOW_TRACKING_TOKEN';

/**
 * The call that sends an endpoint's example request.
 *
 * @param origin where the endpoint is reached from where the program will run, such as `http://127.0.0.1:49152`.
 */
export function exampleCall(
  { inferUrl, exampleRequest, token }: EndpointDescription,
  origin: string,
  from: CallToken['from'],
): Call {
  return {
    url: atOrigin(inferUrl, origin),
    body: exampleRequest,
    token:
      token === null ? null : from === 'literal' ? { from, value: token } : { from, variable: tokenVariable },
  };
}

/** The same path and query at another origin, which may have a path of its own. */
export function atOrigin(url: string, origin: string): string {
  const { origin: old } = new URL(url);
  return `${origin.replace(/\/+$/, '')}${url.slice(old.length)}`;
}
