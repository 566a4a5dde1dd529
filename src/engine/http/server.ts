import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { SlipwayError } from '../../protocol/errors.ts';
import type { RegistryService } from '../registry/service.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { TrackingService } from '../tracking/service.ts';
import { guardAccess } from './access.ts';
import { registerArtifactRoutes } from './artifactRoutes.ts';
import { answerError, createDialectRoutes } from './dialect.ts';
import { registerExperimentRoutes } from './experimentRoutes.ts';
import { registerLoggedModelRoutes } from './loggedModelRoutes.ts';
import { registerMetricRoutes } from './metricRoutes.ts';
import { registerProbeRoutes } from './probeRoutes.ts';
import { registerRegistryRoutes } from './registryRoutes.ts';
import { registerRunRoutes } from './runRoutes.ts';

export interface HttpServerOptions {
  readonly tracking: TrackingService;
  readonly registry: RegistryService;
  readonly artifacts: ArtifactStore;
  /** The address to listen on; loopback unless the person asked for another. */
  readonly host: string;
  /** Taken when it is free, else another; 0 takes a free one. */
  readonly port: number;
  /** Null asks for no token. */
  readonly token: string | null;
  /** Hears of errors that were not foreseen. */
  readonly report?: (error: unknown) => void;
}

export interface HttpServer {
  /** Base address, such as `http://127.0.0.1:5000`. */
  readonly url: string;
  readonly port: number;
  /** Ends the listener and all connections, open ones included. */
  close(): Promise<void>;
}

/**
 * Opens the MLflow REST dialect.
 *
 * @throws SlipwayError `internal` when not even a free port can be listened on.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const app = (await listen(options, options.port)) ?? (await listen(options, 0));
  if (app === null) throw new SlipwayError('internal', { detail: `Cannot listen on ${options.host}.` });
  const { port } = addressOf(app);
  return { url: `http://${urlHost(options.host)}:${port}`, port, close: () => app.close() };
}

/** Null when the port is taken or not allowed. */
async function listen(options: HttpServerOptions, port: number): Promise<FastifyInstance | null> {
  const app = createApp(options);
  try {
    await app.listen({ host: options.host, port });
    return app;
  } catch (error) {
    await app.close();
    if (
      error instanceof Error &&
      'code' in error &&
      (error.code === 'EADDRINUSE' || error.code === 'EACCES')
    ) {
      return null;
    }
    throw error;
  }
}

function createApp(options: HttpServerOptions): FastifyInstance {
  const app = fastify({
    forceCloseConnections: true,
    // Sizes are checked where bodies are read: an artifact may be larger than any message.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    routerOptions: { maxParamLength: 2048 },
    // A URL that cannot be decoded meets no route and no hook.
    frameworkErrors: (error, _request, reply) => {
      answerError(reply, new SlipwayError('invalidParameter', { detail: error.message }));
    },
  });
  guardAccess(app, options);
  const routes = createDialectRoutes(app, options.report ?? (() => undefined));
  registerProbeRoutes(routes);
  registerExperimentRoutes(routes, options);
  registerRunRoutes(routes, options);
  registerMetricRoutes(routes, options);
  registerLoggedModelRoutes(routes, options);
  registerArtifactRoutes(routes, options);
  registerRegistryRoutes(routes, options);
  return app;
}

function addressOf(app: FastifyInstance): AddressInfo {
  const address = app.server.address();
  if (address === null || typeof address === 'string') {
    throw new SlipwayError('internal', { detail: 'The server has no address.' });
  }
  return address;
}

/** An address that means "all of them" is no address to connect to. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
