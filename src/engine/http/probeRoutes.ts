import type { DialectRoutes } from './dialect.ts';

/** The MLflow release whose dialect is spoken; its tracing client asks, to know what the server can do. */
const dialectVersion = '3.17.0';

/** What clients ask to learn whether and what they talk to. */
export function registerProbeRoutes(routes: DialectRoutes): void {
  routes.plain('GET', '/health', (_request, reply) => reply.type('text/html; charset=utf-8').send('OK'));
  routes.plain('GET', '/version', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(dialectVersion),
  );
  routes.rpc('GET', '/mlflow/server-info', () => ({ store_type: 'SqlStore', workspaces_enabled: false }), 3);
}
