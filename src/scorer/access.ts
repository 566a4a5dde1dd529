import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { RequestProblem } from '../inference/problem.ts';

/** Who may speak to the scorer. */
export interface Access {
  /** Why a request may not come in at all; null when it may. */
  refusal(request: Pick<IncomingMessage, 'headers'>): RequestProblem | null;
  /** Whether a request bears the token. */
  isAuthorised(request: Pick<IncomingMessage, 'headers'>): boolean;
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/**
 * On a loopback address only requests that name a loopback host come in: a web page that has a name of its own point
 * here (DNS rebinding) does not, nor one of another origin.
 */
export function createAccess(options: { readonly host: string; readonly token: string | null }): Access {
  const own = isIP(options.host) === 6 ? `[${options.host}]` : options.host;
  const names =
    loopbackNames.includes(own) || own.startsWith('127.') ? new Set([...loopbackNames, own]) : null;
  const token = options.token === null ? null : Buffer.from(`Bearer ${options.token}`);
  /** The host that came last and is served: the same one is named over and over, and need not be taken apart again. */
  let served: string | undefined;
  return {
    refusal({ headers: { host, origin } }) {
      if (names && (host === undefined || host !== served)) {
        if (!names.has(hostName(host ?? ''))) {
          return new RequestProblem(403, `The host "${host ?? ''}" is not served here.`);
        }
        served = host;
      }
      if (origin !== undefined && !isOriginOf(host ?? '', origin)) {
        return new RequestProblem(403, `Requests from the origin "${origin}" are not served.`);
      }
      return null;
    },
    isAuthorised({ headers: { authorization } }) {
      return token === null || equal(token, Buffer.from(authorization ?? ''));
    },
  };
}

/** Whether a page of this origin came from the same host and port. */
function isOriginOf(host: string, origin: string): boolean {
  return origin.replace(/^https?:\/\//, '').toLowerCase() === host.toLowerCase();
}

/** Takes the same time wherever the texts differ; only their lengths, which are no secret, may be told from it. */
function equal(expected: Buffer, given: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(expected, given);
}

function hostName(host: string): string {
  return /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host)?.[1]?.toLowerCase() ?? '';
}
