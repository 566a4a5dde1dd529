import type { Server as NetServer, Socket } from 'node:net';
import type { Worker } from 'node:worker_threads';
import { describeTensor } from '../inference/model.ts';
import { worded } from '../protocol/errorDetails.ts';
import type {
  ScorerCommand,
  ScorerMessage,
  ScorerModel,
  ScorerOptions,
  ScorerProtocol,
  ServedVersion,
} from '../protocol/scorer.ts';
import type { ScorerReading } from '../protocol/scorerReading.ts';
import { type Access, createAccess } from './access.ts';
import { countVersions } from './countedVersions.ts';
import { openGrpcDoor } from './grpcDoor.ts';
import { createInferenceCounters, type InferenceCounters } from './inferenceCounters.ts';
import { type InferenceLog, openInferenceLog, usualCapacity } from './inferenceLog.ts';
import { createLoadedModels, type LoadedModels } from './loadedModels.ts';
import type { LoadedVersion } from './modelRepository.ts';
import { createOpenModel } from './openModel.ts';
import { allProtocols } from './protocols/allProtocols.ts';
import { metricFamilies } from './protocols/metrics.ts';
import type { Protocol } from './routing.ts';
import { type Outcome, type ScorerServer, startServer } from './server.ts';
import { createShadowRuns, type ShadowRuns } from './shadowRuns.ts';
import { createSiblings, type Siblings } from './siblings.ts';
import { createStatisticsTeller } from './statisticsTeller.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

type ModelCommand = Extract<ScorerCommand, { type: 'load' | 'unload' | 'route' | 'label' }>;
type ProcessCommand = Extract<ScorerCommand, { type: 'host' | 'sample' }>;

/** A scorer that answers. */
export interface Scorer {
  /** What a command gives: the version that it loaded, if it did. @throws SlipwayError why it is refused. */
  command(command: ModelCommand | ProcessCommand): Promise<ServedVersion | null>;
  /** What it counts. */
  reading(): ScorerReading;
  /** Takes what the other processes of the endpoint count, for which it asked. */
  gathered: Siblings['gathered'];
  /** Answers what comes over a connection that somebody else accepted. */
  take(connection: Socket, protocol: ScorerProtocol): void;
  /** Answers what is in flight, flushes the log, and gives everything back. */
  drain(graceMilliseconds: number): Promise<void>;
}

/** Sockets that listen already; null opens one. */
export type HandedDoors = Readonly<Record<ScorerProtocol, NetServer | null>>;

/**
 * Loads and warms the models, then listens; tells `ready` when it does.
 *
 * @param logThread begun for the inference log, if there is to be one.
 * @throws SlipwayError `modelUnreadable`, `portTaken` or `storeUnreadable`.
 */
export async function startScorer(
  options: ScorerOptions,
  doors: HandedDoors,
  tell: (message: ScorerMessage) => void,
  logThread?: Worker,
): Promise<Scorer> {
  const warn = (message: string) => tell({ type: 'warning', message });
  const watchdog = startWatchdog(options.limits);
  const counters = createInferenceCounters();
  // Its thread starts while the models are loaded.
  const opening =
    options.inferenceLog && openInferenceLog(options.inferenceLog, warn, usualCapacity, logThread);
  if (!opening) void logThread?.terminate();
  const [loading, opened] = await Promise.allSettled([loadAll(options, watchdog, counters, warn), opening]);
  if (loading.status === 'rejected') {
    if (opened.status === 'fulfilled') await opened.value?.close();
    throw loading.reason;
  }
  const models = loading.value;
  if (opened.status === 'rejected') {
    await models.close();
    await watchdog.close();
    throw opened.reason;
  }
  const log = opened.value;
  const close = async () => {
    await log?.close();
    await models.close();
    await watchdog.close();
  };

  const record = (outcome: Outcome) => {
    counters.requests.answered(outcome);
    addToLog(log, outcome);
    teller.touch();
  };
  const shadows: ShadowRuns = createShadowRuns(models, record);
  const teller = createStatisticsTeller(counters.requests, shadows, tell);
  const siblings = options.shared ? createSiblings(tell) : null;
  const sources = { models, counters, siblings };
  const protocols = allProtocols({ ...sources, feedback: log });
  const access = createAccess(options);
  const callbacks: ServerCallbacks = {
    access,
    admission: () => log?.room() ?? null,
    predicted(outcome) {
      record(outcome);
      shadows.answered(outcome);
    },
    unforeseen: (error) => warn(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  };
  const fail = async (error: unknown): Promise<never> => {
    await close();
    throw error;
  };
  const grpc = await openGrpcDoor(options, doors.grpc, { ...sources, ...callbacks }).catch(fail);
  const server = await openHttp(options, doors.http, models, protocols, callbacks).catch(
    async (error: unknown) => {
      await grpc?.drain(0);
      return fail(error);
    },
  );
  tell({
    type: 'ready',
    port: server.port,
    grpcPort: grpc?.port ?? null,
    versions: models.names().flatMap((name) => models.versions(name).map(describeVersion)),
  });
  return {
    take: (connection, protocol) => (protocol === 'grpc' ? grpc : server)?.take(connection),
    async command(command) {
      if (command.type === 'host') access.serveHost(command.host);
      else if (command.type === 'sample') log?.keepShare(command.share);
      else return obey(command, models, watchdog);
      return null;
    },
    reading: () => ({ families: metricFamilies(sources), versions: countVersions(sources) }),
    gathered: (id, readings) => siblings?.gathered(id, readings),
    async drain(graceMilliseconds) {
      models.drain();
      const { drainMilliseconds } = options.limits;
      await Promise.all([server.drain(drainMilliseconds, graceMilliseconds), grpc?.drain(drainMilliseconds)]);
      // What shadows answer belongs to the log and the figures, too.
      await shadows.settled();
      teller.tellNow();
      await close();
    },
  };
}

async function loadAll(
  { models, traffic, runtime, limits }: ScorerOptions,
  watchdog: Watchdog,
  { executed }: InferenceCounters,
  warn: (message: string) => void,
): Promise<LoadedModels> {
  const [first] = models;
  const open = createOpenModel({
    threads: runtime.threads,
    runMilliseconds: limits.runMilliseconds,
    loadMilliseconds: limits.loadMilliseconds,
    watchdog,
    warn,
  });
  const loaded = createLoadedModels({
    main: first?.name ?? '',
    open,
    batchRows: runtime.batchRows,
    executed,
  });
  try {
    for (const model of models) {
      const { predictor } = await load(model, loaded, watchdog);
      for (const warning of predictor.warnings) warn(String(worded(warning)));
    }
    for (const split of traffic) loaded.route(split);
  } catch (error) {
    await loaded.close();
    await watchdog.close();
    throw error;
  }
  return loaded;
}

/** @throws SlipwayError why it is not loaded. */
function load(model: ScorerModel, models: LoadedModels, watchdog: Watchdog): Promise<LoadedVersion> {
  // The process of a Python model is ended for itself.
  if (model.source.type === 'python') return models.load(model);
  const { name, version } = model;
  return watchdog.whileLoading({ model: name, version }, (signal) => models.load(model, signal));
}

async function obey(
  command: ModelCommand,
  models: LoadedModels,
  watchdog: Watchdog,
): Promise<ServedVersion | null> {
  switch (command.type) {
    case 'load':
      return describeVersion(await load(command.model, models, watchdog));
    case 'unload':
      await models.unload(command.name, command.version);
      return null;
    case 'route':
      models.route(command.traffic);
      return null;
    case 'label':
      models.label(command.name, command.version, command.labels);
      return null;
  }
}

function describeVersion({ name, version, predictor, facts }: LoadedVersion): ServedVersion {
  return {
    name,
    version,
    inputs: predictor.inputs.map(describeTensor),
    outputs: predictor.outputs.map(describeTensor),
    exampleRequest: predictor.exampleRequest,
    facts,
    warnings: predictor.warnings,
  };
}

function addToLog(log: InferenceLog | null, outcome: Outcome): void {
  const { chosen, prediction, requestId, receivedAt, status, latencyMicroseconds } = outcome;
  log?.add({
    requestId,
    receivedAt,
    status,
    latencyMicroseconds,
    loaded: chosen?.loaded ?? null,
    variant: chosen?.variant ?? 'version',
    values: prediction,
  });
}

interface ServerCallbacks {
  readonly access: Access;
  readonly admission: () => Promise<void> | null;
  readonly predicted: (outcome: Outcome) => void;
  readonly unforeseen: (error: unknown) => void;
}

function openHttp(
  { host, port, limits }: ScorerOptions,
  door: NetServer | null,
  models: LoadedModels,
  protocols: readonly Protocol[],
  callbacks: ServerCallbacks,
): Promise<ScorerServer> {
  return startServer({
    place: { host, port, door },
    models,
    protocols,
    bodyBytes: limits.bodyBytes,
    requests: limits.requests,
    requestMilliseconds: limits.requestMilliseconds,
    ...callbacks,
  });
}
