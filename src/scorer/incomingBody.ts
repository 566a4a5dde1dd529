import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { badRequest, RequestProblem } from '../inference/problem.ts';

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
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Buffer | Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const encoding = request.headers['content-encoding'];
  return encoding === undefined
    ? readAll(request, limit)
    : readPacked(request, response, limit, encoding.trim().toLowerCase());
}

async function readPacked(
  request: IncomingMessage,
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
  const body = await readAll(request, limit);
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

function readAll(request: IncomingMessage, limit: number): Buffer | Promise<Buffer> {
  if (!request.complete) return readSlowly(request, limit);
  const whole: Buffer = request.read() ?? Buffer.alloc(0);
  if (whole.length > limit) throw tooLarge(limit);
  return whole;
}

function readSlowly(request: IncomingMessage, limit: number): Promise<Buffer> {
  // It has told of its end by now, and will not again.
  if (request.destroyed) throw new Error('The client went away.');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        request.removeAllListeners('data');
        reject(tooLarge(limit));
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

function tooLarge(limit: number): RequestProblem {
  return new RequestProblem(413, `The body is larger than the ${limit} bytes that are allowed.`);
}
