import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ProvenanceService } from '../provenance/service.ts';
import type { RegistryService } from '../registry/service.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { TrackingService } from '../tracking/service.ts';
import { guardAccess } from './access.ts';
import { answerError } from './answer.ts';
import { registerArtifactRoutes } from './artifactRoutes.ts';
import { registerAssessmentRoutes } from './assessmentRoutes.ts';
import { createDialectRoutes, type Endpoint } from './dialect.ts';
import { registerExperimentRoutes } from './experimentRoutes.ts';
import { registerLoggedModelRoutes } from './loggedModelRoutes.ts';
import { registerMetricRoutes } from './metricRoutes.ts';
import { registerProbeRoutes } from './probeRoutes.ts';
import { registerProvenanceRoutes } from './provenanceRoutes.ts';
import { registerRegistryRoutes } from './registryRoutes.ts';
import { registerRunRoutes } from './runRoutes.ts';
import { registerTraceRoutes } from './traceRoutes.ts';

/** A port that the person named must be that one; a port that is only remembered may be another. */
export type WhenPortTaken = 'fail' | 'takeAnother';

export interface HttpServerOptions {
  readonly tracking: TrackingService;
  readonly registry: RegistryService;
  readonly artifacts: ArtifactStore;
  readonly provenance: ProvenanceService;
  /** The address to listen on; loopback unless the person asked for another. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What to do when another program has the port; another one is taken unless said. */
  readonly whenPortTaken?: WhenPortTaken;
  /** Null asks for no token. */
  readonly token: string | null;
  /** Hears of errors that were not foreseen. */
  readonly report?: (error: unknown) => void;
}

export interface HttpServer {
  /** Base address, such as `http://127.0.0.1:5000`. */
  readonly url: string;
  readonly port: number;
  /** All that can be asked for. */
  readonly endpoints: readonly Endpoint[];
  /** Ends the listener and all connections, open ones included. */
  close(): Promise<void>;
}

/**
 * Opens the MLflow REST dialect.
 *
 * @throws SlipwayError `addressTaken` when the port must be free and is not; `invalidParameter` when the address
 * cannot be listened on at all.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { app, endpoints } = await listen(options, options.port).catch((error: unknown) => {
    if (options.port === 0 || options.whenPortTaken === 'fail') throw error;
    return listen(options, 0);
  });
  const { port } = addressOf(app);
  return { url: `http://${urlHost(options.host)}:${port}`, port, endpoints, close: () => app.close() };
}

interface Dialect {
  readonly app: FastifyInstance;
  readonly endpoints: readonly Endpoint[];
}

/** @throws SlipwayError `addressTaken` or `invalidParameter`. */
async function listen(options: HttpServerOptions, port: number): Promise<Dialect> {
  const dialect = createDialect(options);
  const { app } = dialect;
  try {
    await app.listen({ host: options.host, port });
    return dialect;
  } catch (error) {
    await app.close();
    throw listenError(error, options.host, port);
  }
}

function listenError(error: unknown, host: string, port: number): unknown {
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return error;
  if (error.code === 'EADDRINUSE') return new SlipwayError('addressTaken', { host, port }, { cause: error });
  const detail = `Cannot listen on ${host}, port ${port}: ${error.message}. Use another address or port.`;
  return new SlipwayError('invalidParameter', { detail }, { cause: error });
}

function createDialect(options: HttpServerOptions): Dialect {
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
  registerProvenanceRoutes(routes, options);
  registerTraceRoutes(routes, options);
  registerAssessmentRoutes(routes, options);
  return { app, endpoints: routes.endpoints };
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
