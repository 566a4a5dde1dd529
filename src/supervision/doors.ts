import { type Doors, openDoor } from './door.ts';
import type { ScorerProcess } from './scorerProcess.ts';

/** Opens both. 0 takes a free port. @throws SlipwayError `portTaken` or `invalidParameter`. */
export async function openDoors(host: string, port: number, grpcPort: number | null): Promise<Doors> {
  const http = await openDoor('http', host, port);
  try {
    return { http, grpc: grpcPort === null ? null : await openDoor('grpc', host, grpcPort) };
  } catch (error) {
    await http.close();
    throw error;
  }
}

/**
 * Hands what this process accepts to one scorer after the other. While there is none, connections wait.
 *
 * @param scorers those that run at the moment; to be told again when the first one comes or the last one goes.
 */
export function leadInTurn({ http, grpc }: Doors, scorers: () => readonly ScorerProcess[]): void {
  let turn = 0;
  const next = () => {
    const running = scorers();
    turn += 1;
    return running[turn % running.length];
  };
  for (const door of [http, grpc]) {
    door?.leadTo(
      scorers().length === 0
        ? null
        : (connection) => {
            const scorer = next();
            // After the end a connection may come back that a scorer did not come to take.
            if (scorer) scorer.take(connection, door);
            else connection.destroy();
          },
    );
  }
}

export async function closeDoors({ http, grpc }: Doors): Promise<void> {
  await Promise.all([http.close(), grpc?.close()]);
}
