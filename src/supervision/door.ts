import { createServer, type Server, type Socket } from 'node:net';
import { SlipwayError } from '../protocol/errors.ts';
import type { ScorerProtocol } from '../protocol/scorer.ts';

/**
 * The listening socket of an endpoint. The engine holds it, and every scorer of the endpoint shares it: so one scorer
 * follows another, after a crash too, without a connection that is refused. What the engine itself accepts, it hands
 * on; while no scorer is there, it waits.
 */
export interface Door {
  readonly protocol: ScorerProtocol;
  readonly port: number;
  /** The socket, to be handed to a scorer. */
  readonly server: Server;
  /** Where connections go that this process accepted; null lets them wait. */
  leadTo(take: ((connection: Socket) => void) | null): void;
  /** Takes a connection back that nobody came to answer; ends it when the door is closed and it leads nowhere. */
  receive(connection: Socket): void;
  /** Takes no more connections, and ends those that wait. */
  close(): Promise<void>;
}

/** The sockets of an endpoint: scorers that follow one another, or share the work, answer on the same ones. */
export interface Doors {
  readonly http: Door;
  /** Null where nothing is answered over gRPC. */
  readonly grpc: Door | null;
}

/** Connections that may wait for a scorer; more are ended. */
const waitingConnections = 1024;

/**
 * Opens the socket.
 *
 * @param port 0 takes a free one.
 * @throws SlipwayError `portTaken`; `invalidParameter` when the address is none of this machine.
 */
export async function openDoor(protocol: ScorerProtocol, host: string, port: number): Promise<Door> {
  let waiting: Socket[] = [];
  let lead: ((connection: Socket) => void) | null = null;
  let closed = false;
  const receive = (connection: Socket) => {
    if (connection.destroyed) return;
    if (lead) lead(connection);
    else if (closed || waiting.length >= waitingConnections) connection.destroy();
    else waiting.push(connection);
  };
  const server = createServer({ pauseOnConnect: true }, (connection) => {
    // A client that goes away while it waits is no failure of the engine.
    connection.on('error', () => connection.destroy());
    receive(connection);
  });
  await new Promise<void>((resolve, reject) => {
    // Stays: a connection that cannot be accepted later is no failure of the engine either.
    server.on('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen({ host, port }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The door listens on no port.');
  return {
    protocol,
    port: address.port,
    server,
    leadTo(take) {
      lead = take;
      if (!take) return;
      const connections = waiting;
      waiting = [];
      for (const connection of connections) if (!connection.destroyed) take(connection);
    },
    receive,
    async close() {
      // Its callback would wait for the connections that were handed on, of some of which this process never hears again.
      server.close();
      closed = true;
      for (const connection of waiting) connection.destroy();
      waiting = [];
    },
  };
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): SlipwayError {
  if (error.code === 'EADDRINUSE' || error.code === 'EACCES') {
    return new SlipwayError('portTaken', { port }, { cause: error });
  }
  return new SlipwayError(
    'invalidParameter',
    { detail: `Nothing can listen on ${host}: ${error.message}` },
    { cause: error },
  );
}
