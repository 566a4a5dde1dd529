import { SlipwayError } from '../protocol/errors.ts';
import type { ScorerMessage, ScorerOptions } from '../protocol/scorer.ts';
import { createAccess } from './access.ts';
import { type InferenceLog, openInferenceLog } from './inferenceLog.ts';
import { readLoggedExample } from './loggedExample.ts';
import { describeTensor, loadModel, type Model } from './model.ts';
import { createPredictor, type Predictor } from './predictor.ts';
import { mlflow } from './protocols/mlflow.ts';
import { openInference } from './protocols/openInference.ts';
import { loadRuntime } from './runtime.ts';
import { type Outcome, type ScorerServer, startServer } from './server.ts';

/** A scorer that answers. */
export interface Scorer {
  /** Answers what is in flight, flushes the log, and gives everything back. */
  drain(): Promise<void>;
}

/**
 * Loads and warms the model, then listens; tells `ready` when it does.
 *
 * @throws SlipwayError `modelUnreadable`, `portTaken` or `storeUnreadable`.
 */
export async function startScorer(
  options: ScorerOptions,
  tell: (message: ScorerMessage) => void,
): Promise<Scorer> {
  const warn = (message: string) => tell({ type: 'warning', message });
  const { example } = options.model;
  const model = await loadModel(await loadRuntime(), options.model);
  const predictor = await createPredictor(
    model,
    options.model.columns ?? null,
    example ? (form) => readLoggedExample(example, form) : null,
  );
  const log = await openLog(options, predictor, warn);
  const counts = createCounts(tell);
  let draining = false;
  const server = await listen(options, predictor, {
    isReady: () => !draining,
    predicted({ prediction, ...answered }) {
      counts.add(answered.status);
      log?.add({ ...answered, values: prediction });
    },
    unforeseen: (error) => warn(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  }).catch(async (error: unknown) => {
    await close(model, log);
    throw error;
  });
  tell({
    type: 'ready',
    port: server.port,
    inputs: predictor.inputs.map(describeTensor),
    outputs: predictor.outputs.map(describeTensor),
    exampleRequest: predictor.exampleRequest,
  });
  for (const warning of predictor.warnings) warn(warning);
  return {
    async drain() {
      draining = true;
      await server.drain(options.limits.drainMilliseconds);
      counts.tellNow();
      await close(model, log);
    },
  };
}

async function close(model: Model, log: InferenceLog | null): Promise<void> {
  await log?.close();
  await model.close();
}

interface ServerCallbacks {
  readonly isReady: () => boolean;
  readonly predicted: (outcome: Outcome) => void;
  readonly unforeseen: (error: unknown) => void;
}

async function listen(
  { host, port, token, limits, model }: ScorerOptions,
  predictor: Predictor,
  { isReady, predicted, unforeseen }: ServerCallbacks,
): Promise<ScorerServer> {
  const served = { name: model.name, version: model.version, isReady };
  try {
    return await startServer({
      host,
      port,
      access: createAccess({ host, token }),
      protocols: [openInference(served, predictor), mlflow(predictor)],
      bodyBytes: limits.bodyBytes,
      requestMilliseconds: limits.requestMilliseconds,
      predicted,
      unforeseen,
    });
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    throw taken ? new SlipwayError('portTaken', { port }, { cause: error }) : error;
  }
}

async function openLog(
  options: ScorerOptions,
  { inputs, outputs, layout }: Predictor,
  warn: (message: string) => void,
): Promise<InferenceLog | null> {
  const file = options.inferenceLog;
  if (file === null) return null;
  return openInferenceLog({ file, modelVersion: options.model.version, inputs, outputs, layout }, warn);
}

const countsMilliseconds = 250;

function createCounts(tell: (message: ScorerMessage) => void) {
  let requestCount = 0;
  let errorCount = 0;
  let timer: NodeJS.Timeout | null = null;
  const tellNow = () => {
    if (!timer) return;
    clearTimeout(timer);
    timer = null;
    tell({ type: 'counts', requestCount, errorCount });
  };
  return {
    add(status: number) {
      requestCount++;
      if (status >= 400) errorCount++;
      timer ??= setTimeout(tellNow, countsMilliseconds);
    },
    tellNow,
  };
}
