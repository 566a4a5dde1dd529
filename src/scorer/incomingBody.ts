import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { badRequest, RequestProblem } from '../inference/problem.ts';
import { type IncomingRequest, tooLarge } from './incomingRequest.ts';

const unpack = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflate) } as const;

/**
 * The body of a request, unpacked where it came as gzip or deflate.
 *
 * To be asked for at the end of a turn of the event loop: a small body comes with its head, and is there as a whole by
 * then. Taking it at once costs less than listening for its pieces, and all that came in one turn goes on together and
 * shares a run of the model.
 *
 * @param limit bytes that it may have, packed and unpacked.
 * @throws RequestProblem 413 when it has more, 415 when it is packed in another way, 400 when it cannot be unpacked.
 */
export function readBody(
  request: IncomingRequest,
  response: ServerResponse,
  limit: number,
): Buffer | Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const encoding = request.headers['content-encoding'];
  return encoding === undefined
    ? request.body(limit)
    : readPacked(request, response, limit, encoding.trim().toLowerCase());
}

async function readPacked(
  request: IncomingRequest,
  response: ServerResponse,
  limit: number,
  encoding: string,
): Promise<Buffer> {
  const packed = encoding !== 'identity' && encoding !== '';
  if (packed && !isPacking(encoding)) {
    response.setHeader('accept-encoding', 'gzip, deflate');
    throw new RequestProblem(
      415,
      `A body in "${encoding}" is not understood; send it plain, or as gzip or deflate.`,
    );
  }
  const body = await request.body(limit);
  if (!packed || !isPacking(encoding) || body.length === 0) return body;
  try {
    return await unpack[encoding](body, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(limit);
    throw badRequest(`The body is not valid ${encoding}.`);
  }
}

function isPacking(encoding: string): encoding is keyof typeof unpack {
  return Object.hasOwn(unpack, encoding);
}
