import type { FastifyReply } from 'fastify';
import type { ErrorCategory, SlipwayError } from '../../protocol/errors.ts';

/** Answers with JSON; `undefined` fields are left out. */
export function answerJson(reply: FastifyReply, status: number, body: object): FastifyReply {
  // Bytes: to a text the framework would add a charset, which MLflow does not.
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(JSON.stringify(body)));
}

/** Answers with `{error_code, message}` and the status that MLflow gives to such an error. */
export function answerError(reply: FastifyReply, error: SlipwayError): FastifyReply {
  const { status, code, sqlstate, errorClass } = answers[error.category];
  return answerJson(reply, status, {
    error_code: code,
    message: inSentences(error),
    sqlstate,
    error_class: errorClass,
  });
}

/** What SQLite or the operating system says of an error ends without a full stop. */
function inSentences({ message, remedy }: SlipwayError): string {
  if (remedy === '') return message;
  return /[.!?]$/.test(message) ? `${message} ${remedy}` : `${message}. ${remedy}`;
}

/** A client takes 404 without JSON as "this server lacks the endpoint" and uses its fallback. */
export function answerNoSuchEndpoint(reply: FastifyReply): FastifyReply {
  return reply.code(404).header('content-type', html).send(notFoundPage);
}

/** Answers that a path is there, but not for this method; OPTIONS asks just for which it is. */
export function answerOtherMethod(
  reply: FastifyReply,
  asked: string,
  methods: readonly string[],
): FastifyReply {
  const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
  reply.header('allow', allowed.join(', ')).header('content-type', html);
  return asked === 'OPTIONS' ? reply.code(204).send() : reply.code(405).send(methodNotAllowedPage);
}

const html = 'text/html; charset=utf-8';

const notFoundPage = `<!doctype html>
<html lang=en>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>
`;

const methodNotAllowedPage = `<!doctype html>
<html lang=en>
<title>405 Method Not Allowed</title>
<h1>Method Not Allowed</h1>
<p>The method is not allowed for the requested URL.</p>
`;

interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  /** MLflow's finer names of the kind of error; it gives none to errors that it foresees nowhere in its own code. */
  readonly sqlstate?: string;
  readonly errorClass?: string;
}

/**
 * Statuses as MLflow's. The Python client repeats requests answered 408, 429, 500, 502, 503 or 504 for minutes, so a
 * condition that we foresee never gets one of those; 507 is for a store that takes no writes.
 */
const answers: Readonly<Record<ErrorCategory, ErrorAnswer>> = {
  invalid: {
    status: 400,
    code: 'INVALID_PARAMETER_VALUE',
    sqlstate: 'KAM00',
    errorClass: 'INVALID_PARAMETER_VALUE',
  },
  alreadyExists: {
    status: 400,
    code: 'RESOURCE_ALREADY_EXISTS',
    sqlstate: 'KAM00',
    errorClass: 'RESOURCE_ALREADY_EXISTS',
  },
  notFound: {
    status: 404,
    code: 'RESOURCE_DOES_NOT_EXIST',
    sqlstate: 'KAM00',
    errorClass: 'RESOURCE_NOT_FOUND',
  },
  denied: { status: 403, code: 'PERMISSION_DENIED', sqlstate: 'KAM00', errorClass: 'PERMISSION_DENIED' },
  notImplemented: { status: 501, code: 'NOT_IMPLEMENTED' },
  unavailable: {
    status: 507,
    code: 'TEMPORARILY_UNAVAILABLE',
    sqlstate: 'XXM00',
    errorClass: 'CLIENT_INTERNAL_ERROR',
  },
  cancelled: { status: 499, code: 'CANCELLED' },
  internal: { status: 500, code: 'INTERNAL_ERROR', sqlstate: 'XXM00', errorClass: 'CLIENT_INTERNAL_ERROR' },
};
