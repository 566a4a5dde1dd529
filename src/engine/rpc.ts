import { type CancellationToken, type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import {
  type EngineMethod,
  type EngineParams,
  type EngineResult,
  engineRequests,
} from '../protocol/engine.ts';
import { SlipwayError, toErrorData } from '../protocol/errors.ts';

/** JSON-RPC's code for an error whose `data` is an `ErrorData`. */
export const slipwayErrorCode = -32_000;

/** How each method is answered. A long one watches `signal` and stops when it is aborted. */
export type Handlers<Method extends EngineMethod = EngineMethod> = {
  readonly [M in Method]: (
    params: EngineParams<M>,
    signal: AbortSignal,
  ) => EngineResult<M> | Promise<EngineResult<M>>;
};

/** Answers requests on a connection: parameters are checked by their schema, failures travel as `ErrorData`. */
export function answerRequests(connection: MessageConnection, handlers: Handlers): void {
  for (const method of Object.keys(engineRequests)) {
    if (isEngineMethod(method)) answer(connection, method, handlers[method]);
  }
}

function answer<Method extends EngineMethod>(
  connection: MessageConnection,
  method: Method,
  handler: Handlers[Method],
): void {
  connection.onRequest(method, async (params: unknown, token: CancellationToken) => {
    const abort = new AbortController();
    // A token that was cancelled while its request was still in the queue fires no event.
    if (token.isCancellationRequested) abort.abort();
    const subscription = token.onCancellationRequested(() => abort.abort());
    try {
      return await handler(parse(method, params), abort.signal);
    } catch (error) {
      return new ResponseError(slipwayErrorCode, messageOf(error), toErrorData(error));
    } finally {
      subscription.dispose();
    }
  });
}

function parse<Method extends EngineMethod>(method: Method, params: unknown): EngineParams<Method> {
  const parsed = engineRequests[method].params.safeParse(params);
  if (parsed.success) return parsed.data as EngineParams<Method>;
  const issue = parsed.error.issues[0];
  throw new SlipwayError('invalidParameter', {
    detail: `${method}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  });
}

function isEngineMethod(method: string): method is EngineMethod {
  return method in engineRequests;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
