import { createServer, type Server, type Socket } from 'node:net';
import type { ScorerOptions } from '../protocol/scorer.ts';
import type { GrpcServerOptions } from './grpc/grpcServer.ts';
import { listen } from './listening.ts';

/** Where a scorer answers gRPC. */
export interface GrpcDoor {
  readonly port: number;
  /** Answers what comes over a connection that somebody else accepted. */
  take(connection: Socket): void;
  /** Takes no new calls, answers what is under way, at most for so long, and ends. */
  drain(milliseconds: number): Promise<void>;
}

/**
 * Opens the door for gRPC where an endpoint has one. Nothing of gRPC is loaded before, because that takes longer than
 * the rest of the start. The library listens by itself only on ports of its own: here it gets the connections of a
 * socket that other processes may hold, too.
 *
 * @param door a socket that listens already; null opens one.
 * @throws SlipwayError `portTaken`.
 */
export async function openGrpcDoor(
  { host, grpcPort, limits }: ScorerOptions,
  door: Server | null,
  sources: Omit<GrpcServerOptions, 'limits'>,
): Promise<GrpcDoor | null> {
  if (grpcPort === null) return null;
  const { createGrpcServer } = await import('./grpc/grpcServer.ts');
  const calls = createGrpcServer({ ...sources, limits });
  const server = createServer((connection) => calls.take(connection));
  const port = await listen(server, { host, port: grpcPort, door });
  server.on('error', sources.unforeseen);
  return {
    port,
    take(connection) {
      calls.take(connection);
      connection.resume();
    },
    async drain(milliseconds) {
      server.close();
      await calls.drain(milliseconds);
    },
  };
}
