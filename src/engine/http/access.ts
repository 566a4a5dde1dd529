import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { answerJson } from './answer.ts';

export interface AccessOptions {
  /** The address that is listened on. */
  readonly host: string;
  /** Null asks for no token. */
  readonly token: string | null;
}

/** Paths that a health check may ask for without a token. */
const openPaths: ReadonlySet<string> = new Set(['/health', '/version']);

/**
 * Turns away whoever may not ask: another host name (DNS rebinding), a page of another origin (cross-site request),
 * or a request without the token, sent as Bearer, or as user or password of Basic.
 */
export function guardAccess(app: FastifyInstance, options: AccessOptions): void {
  const isRightToken = options.token === null ? () => true : createTokenCheck(options.token);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('x-frame-options', 'SAMEORIGIN');
    const host = request.headers.host;
    if (host === undefined || !isOwnName(hostNameOf(host), options.host)) {
      return reply
        .code(403)
        .type('text/plain; charset=utf-8')
        .send('Invalid Host header - possible DNS rebinding attack detected');
    }
    const origin = request.headers.origin;
    if (origin !== undefined && origin !== `http://${host}`) {
      return reply.code(403).type('text/plain; charset=utf-8').send('Cross-origin request blocked');
    }
    if (!openPaths.has(request.url) && !credentialsOf(request).some(isRightToken)) {
      reply.header('www-authenticate', 'Basic realm="Slipway"');
      return answerJson(reply, 401, {
        error_code: 'UNAUTHENTICATED',
        message:
          'Slipway asks for a token. Run the script in a VS Code terminal, or set MLFLOW_TRACKING_TOKEN ' +
          'to the token of this workspace.',
      });
    }
  });
}

/** What a request offers as a token; the empty text when it offers nothing. */
function credentialsOf(request: FastifyRequest): readonly string[] {
  const [, scheme = '', value = ''] = /^(\S+) +(.*)$/.exec(request.headers.authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return [value];
  if (scheme.toLowerCase() !== 'basic') return [''];
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? [pair] : [pair.slice(0, colon), pair.slice(colon + 1)];
}

/** Compares digests, so that the time taken tells neither the content nor the length of the token. */
function createTokenCheck(token: string): (offered: string) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (offered) => timingSafeEqual(digest(offered), expected);
}

function isOwnName(name: string, listening: string): boolean {
  if (loopbackNames.has(name) || name === listening.toLowerCase()) return true;
  // Listening beyond this machine was asked for: rebinding needs a name, so addresses and our own name are safe.
  const isPublic = !loopbackNames.has(listening.toLowerCase());
  return (
    isPublic && (isIP(name) !== 0 || name === hostname().toLowerCase() || name === 'host.docker.internal')
  );
}

const loopbackNames: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '::1']);

/** The name or address of a Host header, without port and brackets. */
function hostNameOf(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(host);
  return (bracketed?.[1] ?? host.replace(/:\d+$/, '')).toLowerCase();
}
