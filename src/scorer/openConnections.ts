import type { Socket } from 'node:net';

/** The connections of a server that are open, whoever accepted them. */
export interface OpenConnections extends Iterable<Socket> {
  add(connection: Socket): void;
  /** Resolves when each of those that are open now is closed, by an error of its client too. */
  closed(): Promise<void>;
}

export function createOpenConnections(): OpenConnections {
  const connections = new Set<Socket>();
  return {
    [Symbol.iterator]: () => connections.values(),
    add(connection) {
      connections.add(connection);
      connection.once('close', () => connections.delete(connection));
    },
    async closed() {
      await Promise.all(
        [...connections].map((connection) => new Promise((resolve) => connection.once('close', resolve))),
      );
    },
  };
}
