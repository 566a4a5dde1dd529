import { SlipwayError } from '../protocol/errors.ts';
import type { ScorerOptions } from '../protocol/scorer.ts';
import { createAccess } from './access.ts';
import type { GrpcServerOptions } from './grpc/grpcServer.ts';

/** Where a scorer answers gRPC. */
export interface GrpcDoor {
  readonly port: number;
  /** Takes no new calls, answers what is under way, at most for so long, and ends. */
  drain(milliseconds: number): Promise<void>;
}

/**
 * Opens the door for gRPC where an endpoint has one. Nothing of gRPC is loaded before, because that takes longer than
 * the rest of the start.
 *
 * @throws SlipwayError `portTaken`.
 */
export async function openGrpcDoor(
  { host, grpcPort, token, limits }: ScorerOptions,
  sources: Pick<GrpcServerOptions, 'models' | 'counters' | 'predicted' | 'unforeseen'>,
): Promise<GrpcDoor | null> {
  if (grpcPort === null) return null;
  const { createGrpcServer } = await import('./grpc/grpcServer.ts');
  const server = createGrpcServer({ ...sources, access: createAccess({ host, token }), limits });
  try {
    const port = await server.listen(host, grpcPort);
    return { port, drain: (milliseconds) => server.drain(milliseconds) };
  } catch (error) {
    const taken = error instanceof Error && error.message.includes('EADDRINUSE');
    throw taken ? new SlipwayError('portTaken', { port: grpcPort }, { cause: error }) : error;
  }
}
