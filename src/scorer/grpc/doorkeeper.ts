import type { IncomingHttpHeaders } from 'node:http';
import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { RequestProblem } from '../../inference/problem.ts';
import type { Access } from '../access.ts';
import { grpcStatus } from './statuses.ts';

export interface DoorkeeperOptions {
  readonly access: Access;
  /** Whether everyone may call a method, by its path. */
  readonly isOpen: (path: string) => boolean;
  /** How long a client may take to send a whole request that is no stream. */
  readonly requestMilliseconds: number;
}

/** Looks at who calls before a message is read, and ends calls whose message does not come. */
export function createDoorkeeper({
  access,
  isOpen,
  requestMilliseconds,
}: DoorkeeperOptions): ServerInterceptor {
  return (method, call) => {
    let deadline: NodeJS.Timeout | undefined;
    const refuse = (code: status, details: string) => call.sendStatus({ code, details });
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, pass) {
            const problem = refusal(access, callHeaders(metadata, call.getHost()), isOpen(method.path));
            if (problem) {
              refuse(grpcStatus(problem.status), problem.message);
              return;
            }
            if (!method.requestStream) {
              deadline = setTimeout(
                () => refuse(status.CANCELLED, 'The request did not arrive in time.'),
                requestMilliseconds,
              );
            }
            pass(metadata);
          },
          onReceiveHalfClose(pass) {
            clearTimeout(deadline);
            pass();
          },
          onCancel: () => clearTimeout(deadline),
        }),
    });
  };
}

function refusal(access: Access, headers: IncomingHttpHeaders, open: boolean): RequestProblem | null {
  const refused = access.refusal({ headers });
  if (refused) return refused;
  if (open || access.isAuthorised({ headers })) return null;
  return new RequestProblem(401, 'The endpoint asks for its token: authorization: Bearer <token>.');
}

/** What a call says of itself, in the form of HTTP's headers. */
export function callHeaders(metadata: Metadata, host: string): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = { host };
  for (const [name, value] of Object.entries(metadata.getMap())) {
    if (typeof value === 'string') headers[name] = value;
  }
  return headers;
}
