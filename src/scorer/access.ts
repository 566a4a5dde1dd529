import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { RequestProblem } from './problem.ts';

/** Who may speak to the scorer. */
export interface Access {
  /** Why a request may not come in at all; null when it may. */
  refusal(request: IncomingMessage): RequestProblem | null;
  /** Whether a request bears the token. */
  isAuthorised(request: IncomingMessage): boolean;
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
  const token = options.token === null ? null : digest(`Bearer ${options.token}`);
  return {
    refusal({ headers: { host, origin } }) {
      if (names && !names.has(hostName(host ?? ''))) {
        return new RequestProblem(403, `The host "${host ?? ''}" is not served here.`);
      }
      if (origin !== undefined && hostName(origin.replace(/^https?:\/\//, '')) !== hostName(host ?? '')) {
        return new RequestProblem(403, `Requests from the origin "${origin}" are not served.`);
      }
      return null;
    },
    isAuthorised({ headers: { authorization } }) {
      return token === null || timingSafeEqual(token, digest(authorization ?? ''));
    },
  };
}

/** Equal lengths, so that comparing takes equal time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function hostName(host: string): string {
  return /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host)?.[1]?.toLowerCase() ?? '';
}
