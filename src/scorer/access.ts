import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { RequestProblem } from '../inference/problem.ts';
import { loopbackNames } from '../protocol/hostName.ts';

/** Who may speak to the scorer. */
export interface Access {
  /** Why a request may not come in at all; null when it may. */
  refusal(request: Pick<IncomingMessage, 'headers'>): RequestProblem | null;
  /** Whether a request bears the token. */
  isAuthorised(request: Pick<IncomingMessage, 'headers'>): boolean;
  /** Serves a further host name, in lower case, from now on. */
  serveHost(name: string): void;
}

export interface AccessOptions {
  /** The address that is listened on. */
  readonly host: string;
  /** Further host names by which it is asked, in lower case, such as that of a proxy before it; none by default. */
  readonly hosts?: readonly string[];
  readonly token: string | null;
}

/**
 * On a loopback address only requests that name a loopback host or one of `hosts` come in: a web page that has another
 * name point here (DNS rebinding) does not. Nowhere does a page of another origin.
 */
export function createAccess(options: AccessOptions): Access {
  const own = isIP(options.host) === 6 ? `[${options.host}]` : options.host;
  const isLoopback = loopbackNames.includes(own) || own.startsWith('127.');
  const names = isLoopback ? new Set([...loopbackNames, own, ...(options.hosts ?? [])]) : null;
  const token = options.token === null ? null : Buffer.from(`Bearer ${options.token}`);
  /** The host that came last and is served: the same one is named over and over, and need not be taken apart again. */
  let served: string | undefined;
  return {
    refusal({ headers: { host, origin } }) {
      if (names && (host === undefined || host !== served)) {
        if (!names.has(hostNameOf(host ?? ''))) {
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
    serveHost(name) {
      names?.add(name);
    },
  };
}

/** The port that an origin leaves out, and that a proxy may write all the same. */
const defaultPorts: Readonly<Record<string, string>> = { http: ':80', https: ':443' };

/**
 * Whether a page of this origin came from the same host and port. Its scheme is free: a proxy may have taken off the
 * encryption.
 */
function isOriginOf(host: string, origin: string): boolean {
  const [, scheme = '', from] = /^(https?):\/\/(.+)$/.exec(origin.toLowerCase()) ?? [];
  const port = defaultPorts[scheme];
  if (from === undefined || port === undefined) return false;
  const asked = host.toLowerCase();
  return from === (asked.endsWith(port) ? asked.slice(0, -port.length) : asked);
}

/** Takes the same time wherever the texts differ; only their lengths, which are no secret, may be told from it. */
function equal(expected: Buffer, given: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(expected, given);
}

/** The name in a `Host` header, without its port; empty when it is none. */
function hostNameOf(host: string): string {
  return /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host)?.[1]?.toLowerCase() ?? '';
}
