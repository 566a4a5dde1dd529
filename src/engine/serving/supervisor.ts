import { type ErrorData, SlipwayError, toErrorData } from '../../protocol/errors.ts';
import type { EndpointState, EndpointSummary } from '../../protocol/serving.ts';
import type { ScorerListener, ScorerProcess, ScorerReady } from './scorerProcess.ts';
import type { ServableModel } from './servableModel.ts';
import type { EndpointDefinition } from './types.ts';

/** Keeps the scorer of one endpoint in the state that was asked for, and starts it again after a crash. */
export interface Supervisor {
  summary(): EndpointSummary;
  /** What the running scorer said of itself; null unless it is ready. */
  ready(): ScorerReady | null;
  /**
   * Serves a model in place of what was served. `port` null takes the old port when it is free, else any.
   *
   * @throws SlipwayError what went wrong; it is in the summary too. `cancelled` when it was stopped meanwhile.
   */
  start(model: ServableModel, port: number | null): Promise<void>;
  /** Notes why it cannot be started. */
  fail(error: unknown): void;
  /** Ends the scorer. The definition stays, and says whether it should run again when the engine does. */
  stop(options: { readonly enabled: boolean }): Promise<void>;
}

export interface SupervisorDependencies {
  readonly definition: EndpointDefinition;
  /** Starts a scorer for a model; port 0 takes a free one. */
  readonly launch: (model: ServableModel, port: number, listener: ScorerListener) => ScorerProcess;
  readonly save: (definition: EndpointDefinition) => void;
  readonly changed: () => void;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
  readonly host: string;
}

/** So many crashes within the window are repaired; one more is a failure. */
const repairedCrashes = 3;
const crashWindowMilliseconds = 60_000;

export function createSupervisor(dependencies: SupervisorDependencies): Supervisor {
  const { save, changed, log } = dependencies;
  let definition = dependencies.definition;
  let state: EndpointState = 'stopped';
  let failure: ErrorData | null = null;
  let scorer: ScorerProcess | null = null;
  let ready: ScorerReady | null = null;
  let readySince: number | null = null;
  let wanted = false;
  /** Stops that were asked for, so that a start knows of those that came after it. */
  let stops = 0;
  let crashes: readonly number[] = [];
  let earlier = { requestCount: 0, errorCount: 0 };
  let counts = { requestCount: 0, errorCount: 0 };
  // Starts, restarts and stops come one after the other.
  let queue: Promise<unknown> = Promise.resolve();

  const setState = (next: EndpointState, why: ErrorData | null = null) => {
    state = next;
    failure = why;
    if (next !== 'ready') ready = null;
    changed();
  };
  const define = (change: Partial<EndpointDefinition>) => {
    definition = { ...definition, ...change };
    save(definition);
  };
  const fail = (error: unknown) => {
    const data = toErrorData(error);
    log('error', `${definition.name}: ${error instanceof Error ? error.message : String(error)}`);
    setState('failed', data);
  };

  const launch = async (model: ServableModel, port: number): Promise<void> => {
    if (!wanted) throw new SlipwayError('cancelled');
    setState('starting');
    earlier = {
      requestCount: earlier.requestCount + counts.requestCount,
      errorCount: earlier.errorCount + counts.errorCount,
    };
    counts = { requestCount: 0, errorCount: 0 };
    const launched = dependencies.launch(model, port, {
      counts(requestCount, errorCount) {
        counts = { requestCount, errorCount };
        changed();
      },
      log,
    });
    scorer = launched;
    const said = await launched.ready;
    ready = said;
    readySince = Date.now();
    define({ port: said.port });
    log(
      'info',
      `${model.name}: version ${model.version} answers on port ${said.port} (process ${launched.processId}).`,
    );
    setState('ready');
    void launched.ended.then((detail) => {
      if (scorer === launched && wanted) repair(model, detail);
    });
  };

  /** On the old port where it is free. */
  const launchNear = async (model: ServableModel, port: number | null): Promise<void> => {
    const preferred = port ?? definition.port ?? 0;
    try {
      await launch(model, preferred);
    } catch (error) {
      const taken = error instanceof SlipwayError && error.kind === 'portTaken';
      if (!taken || port !== null || preferred === 0) throw error;
      await launch(model, 0);
    }
  };

  const repair = (model: ServableModel, detail: string) => {
    scorer = null;
    const now = Date.now();
    crashes = [...crashes.filter((time) => now - time < crashWindowMilliseconds), now];
    const error = new SlipwayError('endpointFailed', { endpoint: definition.name, detail });
    if (crashes.length > repairedCrashes) return fail(error);
    log('warning', `${error.message}. It is started again.`);
    setState('starting');
    queue = queue.then(() => launchNear(model, null).catch(failUnlessStopped));
  };

  const failUnlessStopped = (error: unknown) => {
    scorer = null;
    if (wanted) fail(error);
  };

  const end = async () => {
    const ending = scorer;
    scorer = null;
    await ending?.drain();
  };

  return {
    summary: () => ({
      name: definition.name,
      modelName: definition.modelName,
      modelVersion: definition.modelVersion,
      state,
      url: ready && `http://${urlHost(dependencies.host)}:${ready.port}`,
      readySince,
      requestCount: earlier.requestCount + counts.requestCount,
      errorCount: earlier.errorCount + counts.errorCount,
      failure,
    }),
    ready: () => ready,
    fail,
    async start(model, port) {
      const stopsBefore = stops;
      const started = queue.then(async () => {
        if (stops !== stopsBefore) throw new SlipwayError('cancelled');
        wanted = true;
        setState('starting');
        await end();
        crashes = [];
        define({ modelName: model.name, modelVersion: model.version });
        try {
          await launchNear(model, port);
          define({ enabled: true });
        } catch (error) {
          if (!wanted) throw new SlipwayError('cancelled', {}, { cause: error });
          failUnlessStopped(error);
          throw error;
        }
      });
      queue = started.catch(() => undefined);
      await started;
    },
    async stop({ enabled }) {
      wanted = false;
      stops += 1;
      const ending = end();
      const stopped = queue.then(async () => {
        await ending;
        // A start that was under way may have come as far as a process of its own.
        await end();
        define({ enabled: enabled && definition.enabled });
        setState('stopped');
      });
      queue = stopped.catch(() => undefined);
      await stopped;
    },
  };
}

/** Where to reach what listens on `host`: an address of this machine when it listens on all. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
