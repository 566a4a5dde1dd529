import type { EngineEvents } from '../protocol/engine.ts';
import { SlipwayError } from '../protocol/errors.ts';
import type { Engine } from './engine.ts';
import type { Handlers } from './rpc.ts';

/** What the handlers stand on. */
export interface HandlerContext {
  /** Opens the engine; called once, by the first request. */
  open(params: Parameters<Handlers['engine/open']>[0]): Promise<Engine>;
  /** Tells how far a long request is. */
  progress(progress: EngineEvents['job/progress']): void;
}

/**
 * Translates each request of the protocol to the service that answers it. Holds no rule of its own but one: where the
 * workspace is not trusted, what would write or start something is refused, whoever asks.
 */
export function createHandlers(context: HandlerContext): Handlers {
  let opened: Engine | null = null;

  const engine = (): Engine => {
    if (opened === null) throw new SlipwayError('engineStopped', { detail: 'no workspace was opened yet' });
    return opened;
  };
  const trustedEngine = (): Engine => {
    const { address } = engine();
    if (address === null) throw new SlipwayError('workspaceUntrusted');
    return engine();
  };

  return {
    async 'engine/open'(params) {
      if (opened !== null)
        throw new SlipwayError('invalidParameter', { detail: 'The engine is open already.' });
      opened = await context.open(params);
      return opened.address;
    },

    'tracking/experiments': () => engine().tracking.experiments(),
    'tracking/runs': (params) => engine().tracking.runs(params),
    'tracking/run': ({ runId }) => engine().tracking.runDetail(runId),
    'tracking/runsWithModels': ({ limit }) => engine().tracking.runsWithModels(limit),
    'tracking/metricSeries': (params) => engine().tracking.metricSeries(params),
    'tracking/artifacts': ({ runId, path }) => engine().tracking.artifactEntries(runId, path),
    'tracking/artifactFile': ({ runId, path }) => engine().tracking.artifactFile(runId, path),
    'tracking/setMainMetric'(params) {
      trustedEngine().tracking.setMainMetric(params);
      return null;
    },

    'registry/models': () => engine().registry.models(),
    'registry/versions': ({ name }) => engine().registry.versions(name),
    'registry/version': ({ name, version }) => engine().registry.version(name, version),
    'registry/register': (params) => trustedEngine().registry.register(params),
    'registry/promote': (params) => trustedEngine().registry.promote(params),
    'registry/transitions': ({ name }) => engine().registry.transitions(name),

    'serving/endpoints': () => engine().serving.endpoints(),
    'serving/start': (params) => trustedEngine().serving.start(params),
    'serving/stop': ({ endpoint }) => trustedEngine().serving.stop(endpoint),
    'serving/describe': ({ endpoint }) => engine().serving.describe(endpoint),
    'serving/sendRequest': (params) => trustedEngine().serving.sendRequest(params),

    'monitoring/driftSources': ({ endpoint }) => engine().monitoring.driftSources(endpoint),
    'monitoring/drift': (params, signal) =>
      trustedEngine().monitoring.drift(params, {
        signal,
        progress: (fraction, message) =>
          context.progress({ method: 'monitoring/drift', subject: params.endpoint, fraction, message }),
      }),
  };
}
