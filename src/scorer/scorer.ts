import type { Server as NetServer, Socket } from 'node:net';
import { rowCount } from '../inference/datatypes.ts';
import { describeTensor } from '../inference/model.ts';
import { SlipwayError } from '../protocol/errors.ts';
import {
  type ScorerCommand,
  type ScorerMessage,
  type ScorerOptions,
  type ServedVersion,
  scorerDoor,
} from '../protocol/scorer.ts';
import { createAccess } from './access.ts';
import { openGrpcDoor } from './grpcDoor.ts';
import { createInferenceCounters, type InferenceCounters } from './inferenceCounters.ts';
import { type InferenceLog, openInferenceLog } from './inferenceLog.ts';
import { createLoadedModels, type LoadedModels } from './loadedModels.ts';
import type { LoadedVersion } from './modelRepository.ts';
import { createOpenModel } from './openModel.ts';
import { allProtocols } from './protocols/allProtocols.ts';
import { createRequestHistogram } from './requestHistogram.ts';
import type { Protocol } from './routing.ts';
import { type Outcome, type ScorerServer, startServer } from './server.ts';
import { createShadowRuns, type ShadowRuns } from './shadowRuns.ts';
import { createStatisticsTeller } from './statisticsTeller.ts';
import { createVariantCounter } from './variantStatistics.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

/** A scorer that answers. */
export interface Scorer {
  /** What a command gives: the version that it loaded, if it did. @throws SlipwayError why it is refused. */
  command(command: Exclude<ScorerCommand, { type: 'drain' }>): Promise<ServedVersion | null>;
  /** Answers what comes over a connection that somebody else accepted. */
  take(connection: Socket): void;
  /** Answers what is in flight, flushes the log, and gives everything back. */
  drain(graceMilliseconds: number): Promise<void>;
}

/**
 * Loads and warms the models, then listens; tells `ready` when it does.
 *
 * @param door a socket that listens already; null opens one.
 * @throws SlipwayError `modelUnreadable`, `portTaken` or `storeUnreadable`.
 */
export async function startScorer(
  options: ScorerOptions,
  door: NetServer | null,
  tell: (message: ScorerMessage) => void,
): Promise<Scorer> {
  const warn = (message: string) => tell({ type: 'warning', message });
  const watchdog = startWatchdog(options.limits.runMilliseconds);
  const counters = createInferenceCounters();
  const models = await loadAll(options, watchdog, counters, warn);
  const log = options.inferenceLog === null ? null : await openInferenceLog(options.inferenceLog, warn);
  const counter = createVariantCounter();
  const requests = createRequestHistogram();
  const close = async () => {
    await log?.close();
    await models.close();
    await watchdog.close();
  };

  const record = (outcome: Outcome) => {
    const { chosen, prediction, status, latencyMicroseconds } = outcome;
    counter.add(chosen, status, prediction ? rowCount(prediction.feeds) : 0, latencyMicroseconds);
    requests.observe(chosen, status, latencyMicroseconds);
    if (chosen) {
      counters.answered(chosen.loaded, {
        at: outcome.receivedAt,
        succeeded: status < 400,
        microseconds: latencyMicroseconds,
      });
    }
    addToLog(log, outcome);
    teller.touch();
  };
  const shadows: ShadowRuns = createShadowRuns(models, record);
  const teller = createStatisticsTeller(counter, shadows, tell);
  const protocols = allProtocols({ models, counters, requests, feedback: log });
  const callbacks: ServerCallbacks = {
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
  const grpc = await openGrpcDoor(options, { models, counters, ...callbacks }).catch(fail);
  const server = await listen(options, door, models, protocols, callbacks).catch(async (error: unknown) => {
    await grpc?.drain(0);
    return fail(error);
  });
  tell({
    type: 'ready',
    port: server.port,
    grpcPort: grpc?.port ?? null,
    versions: models.names().flatMap((name) => models.versions(name).map(describeVersion)),
  });
  return {
    take: (connection) => server.take(connection),
    command: (command) => obey(command, models, watchdog),
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
      const { predictor } = await watchdog.whileLoading(() => loaded.load(model));
      for (const warning of predictor.warnings) warn(warning);
    }
    for (const split of traffic) loaded.route(split);
  } catch (error) {
    await loaded.close();
    await watchdog.close();
    throw error;
  }
  return loaded;
}

async function obey(
  command: Exclude<ScorerCommand, { type: 'drain' }>,
  models: LoadedModels,
  watchdog: Watchdog,
): Promise<ServedVersion | null> {
  switch (command.type) {
    case 'load':
      return describeVersion(await watchdog.whileLoading(() => models.load(command.model)));
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
  readonly predicted: (outcome: Outcome) => void;
  readonly unforeseen: (error: unknown) => void;
}

async function listen(
  { host, port, token, limits }: ScorerOptions,
  door: NetServer | null,
  models: LoadedModels,
  protocols: readonly Protocol[],
  { predicted, unforeseen }: ServerCallbacks,
): Promise<ScorerServer> {
  try {
    return await startServer({
      host,
      port: port === scorerDoor ? 0 : port,
      door,
      access: createAccess({ host, token }),
      models,
      protocols,
      bodyBytes: limits.bodyBytes,
      requests: limits.requests,
      requestMilliseconds: limits.requestMilliseconds,
      predicted,
      unforeseen,
    });
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    throw taken ? new SlipwayError('portTaken', { port }, { cause: error }) : error;
  }
}
