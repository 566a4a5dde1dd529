import type { Server } from 'node:net';
import { SlipwayError } from '../protocol/errors.ts';
import { type ScorerOptions, scorerDoor } from '../protocol/scorer.ts';

/** Where a server is to listen. */
export interface ListeningPlace {
  readonly host: string;
  readonly port: ScorerOptions['port'];
  /** The socket that stands for the port `door`: others hold it too, and it outlives this process. */
  readonly door: Server | null;
}

/** Listens, and gives the port. @throws SlipwayError `portTaken`; Error of the system. */
export async function listen(server: Server, { host, port, door }: ListeningPlace): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new SlipwayError('portTaken', { port }, { cause: error }) : error);
    const listening = () => {
      server.off('error', failed);
      resolve();
    };
    server.once('error', failed);
    if (door) server.listen(door, listening);
    else server.listen({ host, port: port === scorerDoor ? 0 : port }, listening);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.');
  return address.port;
}
