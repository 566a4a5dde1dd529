import type { EngineAddress } from '../protocol/engine.ts';
import { toErrorData, toSlipwayError } from '../protocol/errors.ts';
import { type ChangeListener, type Changes, createChanges } from './changes.ts';
import { openDatabase } from './database/connection.ts';
import { createHttpServer, type WhenPortTaken } from './http/server.ts';
import { createStore, storeLayout } from './layout.ts';
import { createMonitoringService, type MonitoringService } from './monitoring/service.ts';
import { createRegistryService, type RegistryService } from './registry/service.ts';
import { createServingService, type ServingService } from './serving/service.ts';
import { createArtifactStore } from './tracking/artifacts.ts';
import { createTrackingService, type TrackingService } from './tracking/service.ts';

export interface EngineOptions {
  /** Absolute path of the workspace folder. */
  readonly workspace: string;
  /** A loopback address unless the person asked for another on the command line. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What to do when another program has the port; another one is taken unless said. */
  readonly whenPortTaken?: WhenPortTaken;
  /** Null asks for no token. */
  readonly token: string | null;
  /** False: one may read; nothing listens, starts or is written. */
  readonly trusted: boolean;
  /** Hears of changes and log lines from the first one on. */
  readonly listener?: ChangeListener;
  /** Entry files of the processes that the engine starts. */
  readonly scripts: EngineScripts;
}

export interface EngineScripts {
  readonly scorer: string;
  readonly worker: string;
}

/** The composed engine of one workspace folder. */
export interface Engine {
  /** Null when the workspace is not trusted. */
  readonly address: EngineAddress | null;
  readonly changes: Changes;
  readonly tracking: TrackingService;
  readonly registry: RegistryService;
  readonly serving: ServingService;
  readonly monitoring: MonitoringService;
  /** Ends endpoints, jobs and the listener, and closes the store. */
  close(): Promise<void>;
}

/**
 * Composes the parts of an engine and opens its doors.
 *
 * @throws SlipwayError when the store cannot be opened; `addressTaken` or `invalidParameter` when the door cannot.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const layout = storeLayout(options.workspace);
  if (options.trusted) createStore(layout);
  const database = openDatabase(layout.database);
  const changes = createChanges();
  if (options.listener) changes.listen(options.listener);
  const artifacts = createArtifactStore(layout.artifacts);
  const tracking = createTrackingService({ database, artifacts, changes });
  const registry = createRegistryService({
    database,
    tracking,
    artifacts,
    changes,
    listener: {
      renamed: (name, newName) => serving.modelRenamed(name, newName),
      deleted: (name, version) => serving.modelDeleted(name, version),
    },
  });
  const serving: ServingService = createServingService({
    database,
    registry,
    layout,
    changes,
    host: options.host,
    token: options.token,
    script: options.scripts.scorer,
  });
  const monitoring = createMonitoringService({
    registry,
    tracking,
    serving,
    layout,
    changes,
    workspace: options.workspace,
    script: options.scripts.worker,
  });

  const http = options.trusted
    ? await createHttpServer({
        tracking,
        registry,
        artifacts,
        host: options.host,
        port: options.port,
        ...(options.whenPortTaken && { whenPortTaken: options.whenPortTaken }),
        token: options.token,
        report: (error) => logUnforeseen(changes, error),
      }).catch((error: unknown) => {
        database.close();
        throw error;
      })
    : null;
  if (options.trusted) serving.resume();

  return {
    address: http && { url: http.url, port: http.port, token: options.token },
    changes,
    tracking,
    registry,
    serving,
    monitoring,
    async close() {
      // The door first: a request that renames a model would start its endpoint anew behind a closed service.
      await http?.close();
      await monitoring.close();
      await serving.close();
      database.close();
    },
  };
}

/** With its stack, because who meets it is told only the message. */
function logUnforeseen(changes: Changes, error: unknown): void {
  changes.log('error', `${toSlipwayError(error).message}\n${toErrorData(error).details ?? ''}`.trimEnd());
}
