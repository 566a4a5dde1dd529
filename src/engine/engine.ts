import { statSync } from 'node:fs';
import type { EngineAddress } from '../protocol/engine.ts';
import { explainRefusal, toErrorData, toSlipwayError } from '../protocol/errors.ts';
import type { BackupDescription, RestoreReport } from '../protocol/maintenance.ts';
import type { ScorerModel, ScorerModelInput } from '../protocol/scorer.ts';
import { type ChangeListener, type Changes, createChanges } from './changes.ts';
import { type ConversionService, createConversionService } from './conversion/service.ts';
import { type Database, openDatabase } from './database/connection.ts';
import { watchForeignWrites } from './foreignWrites.ts';
import { createHttpServer, type WhenPortTaken } from './http/server.ts';
import { createInteropService, type InteropService } from './interop/service.ts';
import { createStore, inferenceLogFile, type StoreLayout, storeLayout } from './layout.ts';
import { readBackup } from './maintenance/backupFiles.ts';
import type { JobControl } from './maintenance/parts.ts';
import { restoreBackup } from './maintenance/restoring.ts';
import { createMaintenanceService, type MaintenanceService } from './maintenance/service.ts';
import { createMonitoringService, type MonitoringService } from './monitoring/service.ts';
import { createProvenanceService, type ProvenanceService } from './provenance/service.ts';
import { createRegistryService, type RegistryService } from './registry/service.ts';
import { type BatchScoring, createBatchScoring } from './serving/batchScoring.ts';
import { createLoadTests, type LoadTests } from './serving/loadTests.ts';
import { namedVersion } from './serving/namedVersion.ts';
import {
  createPythonModels,
  nothingAllowed,
  type PythonModels,
  type PythonPermission,
} from './serving/pythonModels.ts';
import { createRequestLog, type RequestLog } from './serving/requestLog.ts';
import { type ServableOptions, servableModel } from './serving/servableModel.ts';
import { createServingService, type ServingService } from './serving/service.ts';
import { createTuning, type Tuning } from './serving/tuning.ts';
import { createArtifactStore } from './tracking/artifacts.ts';
import { createTrackingService, type TrackingService } from './tracking/service.ts';
import { createWorkerProcesses } from './workerProcess.ts';

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
  /** False: nothing listens and no endpoint starts, as for a command that does one thing and ends. True unless said. */
  readonly doors?: boolean;
  /** From there counts an artifact location that a client gives as a relative path; see `TrackingOptions`. */
  readonly clientFolder?: string;
  /** Hears of changes and log lines from the first one on. */
  readonly listener?: ChangeListener;
  /** Which models may be loaded that only Python can load; none unless said. */
  readonly python?: PythonPermission;
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
  readonly provenance: ProvenanceService;
  readonly registry: RegistryService;
  readonly serving: ServingService;
  readonly loadTests: LoadTests;
  readonly batchScoring: BatchScoring;
  readonly requestLog: RequestLog;
  readonly tuning: Tuning;
  readonly pythonModels: PythonModels;
  readonly conversion: ConversionService;
  readonly monitoring: MonitoringService;
  readonly maintenance: MaintenanceService;
  readonly interop: InteropService;
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
  const database = openDatabase(layout.database, { upgrading: upgradeTeller(layout.database, options) });
  try {
    return await compose(options, layout, database);
  } catch (error) {
    // A damaged store may show only when it is first read, and must not be kept open: a backup may take its place.
    database.close();
    throw explainRefusal(error, layout.database);
  }
}

async function compose(options: EngineOptions, layout: StoreLayout, database: Database): Promise<Engine> {
  const changes = createChanges();
  if (options.listener) changes.listen(options.listener);
  const artifacts = createArtifactStore(layout.artifacts);
  const tracking = createTrackingService({
    database,
    artifacts,
    changes,
    clientFolder: options.clientFolder,
  });
  const provenance = createProvenanceService({ database, tracking, changes });
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
  const workers = createWorkerProcesses(options.scripts.worker);
  const pythonModels = createPythonModels({
    registry,
    provenance,
    workers,
    changes,
    permission: options.python ?? nothingAllowed,
  });
  const conversion = createConversionService({
    registry,
    tracking,
    artifacts,
    pythonModels,
    workers,
    layout,
    workspace: options.workspace,
  });
  const serving: ServingService = createServingService({
    database,
    registry,
    pythonModels,
    layout,
    changes,
    host: options.host,
    token: options.token,
    script: options.scripts.scorer,
    workspace: options.workspace,
    workers,
  });
  const batchScoring = createBatchScoring({ registry, pythonModels, changes, workers });
  const loadable = async (name: string, version: number): Promise<ScorerModel> => {
    const python = await pythonModels.interpreterOf(name, version);
    const model = servableModel(registry.modelFolder(name, version), name, version, { python });
    return { ...model, labels: [] };
  };
  const requestLog = createRequestLog({
    layout,
    workers,
    modelOf: (endpoint) => serving.endpoint(endpoint).modelName,
    loadable,
  });
  const tuning = createTuning({
    workspace: options.workspace,
    workers,
    endpoint: (name) => serving.endpoint(name),
    loadable,
    script: options.scripts.scorer,
  });
  const loadTests = createLoadTests({
    describe: (endpoint) => serving.describe(endpoint),
    changes,
    script: options.scripts.worker,
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

  const maintenance = createMaintenanceService({
    database,
    tracking,
    artifacts,
    changes,
    layout,
    script: options.scripts.worker,
  });
  const interop = createInteropService({
    database,
    tracking,
    registry,
    artifacts,
    changes,
    script: options.scripts.worker,
  });
  const opensDoors = options.trusted && options.doors !== false;
  if (opensDoors) provenance.forgetIdlePrograms();
  const http = opensDoors
    ? await createHttpServer({
        tracking,
        registry,
        artifacts,
        provenance,
        host: options.host,
        port: options.port,
        ...(options.whenPortTaken && { whenPortTaken: options.whenPortTaken }),
        token: options.token,
        report: (error) => logUnforeseen(changes, error),
      })
    : null;
  const foreignWrites = watchForeignWrites(database, changes);
  try {
    if (opensDoors) serving.resume();
  } catch (error) {
    foreignWrites.dispose();
    await http?.close();
    throw error;
  }

  return {
    address: http && { url: http.url, port: http.port, token: options.token },
    changes,
    tracking,
    provenance,
    registry,
    serving,
    loadTests,
    batchScoring,
    requestLog,
    tuning,
    pythonModels,
    conversion,
    monitoring,
    maintenance,
    interop,
    async close() {
      foreignWrites.dispose();
      // The door first: a request that renames a model would start its endpoint anew behind a closed service.
      await http?.close();
      await provenance.close();
      await interop.close();
      await maintenance.close();
      await monitoring.close();
      await loadTests.close();
      await serving.close();
      await workers.close();
      await conversion.close();
      database.close();
    },
  };
}

/** An older store of this size takes seconds to be brought up to date. */
const slowUpgradeBytes = 16 * 1024 * 1024;

/** Tells that an older store is brought up to date, where somebody waits for it, and how far that is. */
function upgradeTeller(file: string, { listener, workspace }: EngineOptions): (fraction: number) => void {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (!listener || bytes < slowUpgradeBytes) return () => undefined;
  return (fraction) => {
    const message = `The store ${file} is brought up to date, which takes a while; what is in it stays.`;
    if (fraction === 0) listener('log', { level: 'info', message });
    listener('job/progress', { method: 'engine/open', subject: workspace, fraction, message: '' });
  };
}

/**
 * What a scorer needs in order to serve the version that a person names, such as `wine`, `wine/3` or `wine@champion`,
 * and the file of its inference log.
 *
 * @throws SlipwayError `notFound` or `versionNotServable`.
 */
export function servableByName(
  { registry }: Engine,
  workspace: string,
  named: string,
  options: ServableOptions,
): { readonly model: ScorerModelInput; readonly inferenceLog: string } {
  const { name, version, stage, aliases } = namedVersion(registry, named);
  const model = servableModel(registry.modelFolder(name, version), name, version, options);
  const labels = [...aliases, ...(stage === 'None' ? [] : [stage])];
  return { model: { ...model, labels }, inferenceLog: inferenceLogFile(storeLayout(workspace), name) };
}

export { packageModel } from './serving/packaging/packageModel.ts';

/** Looks at a backup. @throws SlipwayError `noBackup`, `storeTooNew` */
export async function describeBackup(path: string): Promise<BackupDescription> {
  const { file: _file, artifacts: _artifacts, ...description } = await readBackup(path);
  return description;
}

export interface RestoreOptions {
  /** Absolute path of the workspace folder. */
  readonly workspace: string;
  /** Entry file of the worker process. */
  readonly worker: string;
  /** The backup. */
  readonly path: string;
}

/**
 * Puts a backup in the place of a folder's store, or makes one where there is none. No process may have it open.
 *
 * @throws SlipwayError as `restoreBackup` does.
 */
export async function restoreStore(options: RestoreOptions, control: JobControl): Promise<RestoreReport> {
  const workers = createWorkerProcesses(options.worker);
  try {
    return await restoreBackup(
      storeLayout(options.workspace),
      (file, inspection) => workers.run({ type: 'checkStore', file }, inspection),
      options.path,
      control,
    );
  } finally {
    await workers.close();
  }
}

/** With its stack, because who meets it is told only the message. */
function logUnforeseen(changes: Changes, error: unknown): void {
  changes.log('error', `${toSlipwayError(error).message}\n${toErrorData(error).details ?? ''}`.trimEnd());
}
