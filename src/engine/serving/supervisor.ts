import { isDeepStrictEqual } from 'node:util';
import { type ErrorData, SlipwayError, toErrorData } from '../../protocol/errors.ts';
import type {
  ScorerModelInput,
  ScorerOptionsInput,
  ServedVersion,
  TrafficSplitInput,
} from '../../protocol/scorer.ts';
import type { EndpointState } from '../../protocol/serving.ts';
import { type Door, openDoor } from '../../supervision/door.ts';
import type { ScorerListener, ScorerOrder, ScorerProcess } from '../../supervision/scorerProcess.ts';
import { createStatisticsSum, type EndpointStatistics } from './endpointStatistics.ts';
import { createLiveSeries, type LiveSeries } from './liveSeries.ts';

/** What an endpoint serves, and how. */
export interface Serving {
  /** Every version that is loaded; the first one's model is the endpoint's own. */
  readonly models: readonly ScorerModelInput[];
  readonly traffic: readonly TrafficSplitInput[];
  /** Scorers that share the port. */
  readonly processes: number;
  /** What each process is told besides. */
  readonly options: Pick<ScorerOptionsInput, 'grpcPort' | 'runtime' | 'limits' | 'inferenceLog'>;
}

/** How the processes of an endpoint are. */
export interface SupervisorStatus {
  readonly state: EndpointState;
  /** Null unless ready. */
  readonly port: number | null;
  readonly grpcPort: number | null;
  /** UTC milliseconds; null when it never was ready. */
  readonly readySince: number | null;
  /** Why it failed; null unless failed. */
  readonly failure: ErrorData | null;
  /** Ends of processes that nobody asked for. */
  readonly crashCount: number;
}

/** Keeps the scorers of one endpoint in the state that was asked for, and starts them again after a crash. */
export interface Supervisor {
  status(): SupervisorStatus;
  /** What is served; null while nothing is. */
  serving(): Serving | null;
  /** Every version that is loaded, as the scorers describe it; none unless ready. */
  versions(): readonly ServedVersion[];
  statistics(): EndpointStatistics;
  readonly live: LiveSeries;
  /**
   * Serves in place of what was served. Where it runs already, new processes take over when they are ready, and the
   * old ones answer what they have accepted. `port` null takes the port that it has, else the one it had when that is
   * free, else any.
   *
   * @throws SlipwayError what went wrong; what was served before goes on. `cancelled` when it was stopped meanwhile.
   */
  start(serving: Serving, port: number | null): Promise<void>;
  /** Loads a version beside the others. @throws SlipwayError `endpointNotReady`, `modelUnreadable`, ... */
  load(model: ScorerModelInput): Promise<ServedVersion>;
  /** Forgets a version. @throws SlipwayError `endpointNotReady`, or why the scorers refuse. */
  unload(name: string, version: number): Promise<void>;
  /** Leads the traffic of a model, at once. @throws SlipwayError `endpointNotReady`, or why the scorers refuse. */
  route(traffic: TrafficSplitInput): Promise<void>;
  /** Sets the labels of a version. */
  label(name: string, version: number, labels: readonly string[]): Promise<void>;
  /** Notes why it cannot be started. */
  fail(error: unknown): void;
  /** Ends the scorers. */
  stop(): Promise<void>;
}

export interface SupervisorDependencies {
  readonly endpoint: string;
  readonly host: string;
  /** The port that it had last; null when it never was ready. */
  readonly lastPort: () => number | null;
  /** Starts a scorer behind a door. */
  readonly launch: (serving: Serving, door: Door, listener: ScorerListener) => ScorerProcess;
  readonly changed: () => void;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
}

/** So many crashes within the window are repaired; one more is a failure. */
const repairedCrashes = 3;
const crashWindowMilliseconds = 60_000;
/** So long a scorer that was replaced answers once more on connections that clients keep open. */
const replacedGraceMilliseconds = 1_000;

export function createSupervisor(dependencies: SupervisorDependencies): Supervisor {
  const { endpoint, host, launch, changed, log } = dependencies;
  const sum = createStatisticsSum();
  const live = createLiveSeries();
  let state: EndpointState = 'stopped';
  let failure: ErrorData | null = null;
  let door: Door | null = null;
  let serving: Serving | null = null;
  let running: readonly ScorerProcess[] = [];
  let versions: readonly ServedVersion[] = [];
  let grpcPort: number | null = null;
  /** The scorer that answers over gRPC: its port cannot be shared. */
  let grpcScorer: ScorerProcess | null = null;
  let readySince: number | null = null;
  let wanted = false;
  /** Stops that were asked for, so that a start knows of those that came after it. */
  let stops = 0;
  let crashes: readonly number[] = [];
  let crashCount = 0;
  let turn = 0;
  /** Scorers that were replaced and still answer. */
  const leaving = new Set<Promise<void>>();
  // Starts, repairs, loads and stops come one after the other.
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  };

  const setState = (next: EndpointState, why: ErrorData | null = null) => {
    state = next;
    failure = why;
    changed();
  };
  const fail = (error: unknown) => {
    log('error', `${endpoint}: ${error instanceof Error ? error.message : String(error)}`);
    setState('failed', toErrorData(error));
  };
  const lead = () => {
    door?.leadTo(
      running.length === 0
        ? null
        : (connection) => {
            turn += 1;
            const scorer = running[turn % running.length];
            // After the end a connection may come back that a scorer did not come to take.
            if (scorer) scorer.take(connection);
            else connection.destroy();
          },
    );
  };
  const leave = (scorers: readonly ScorerProcess[], graceMilliseconds = 0): Promise<void> => {
    const left = Promise.all(scorers.map((scorer) => scorer.drain(graceMilliseconds))).then(() => undefined);
    leaving.add(left);
    void left.finally(() => leaving.delete(left));
    return left;
  };

  const launchOne = async (wished: Serving, behind: Door, overGrpc: boolean): Promise<ScorerProcess> => {
    const count = sum.source();
    const options = overGrpc ? wished.options : { ...wished.options, grpcPort: null };
    const scorer = launch({ ...wished, options }, behind, {
      statistics(statistics) {
        live.add(count(statistics), Date.now());
        changed();
      },
      log,
    });
    try {
      const ready = await scorer.ready;
      versions = ready.versions;
      if (overGrpc) {
        grpcPort = ready.grpcPort;
        grpcScorer = scorer;
      }
    } catch (error) {
      await scorer.drain();
      throw error;
    }
    return scorer;
  };
  /** Those that run from now on. One that ended before it came to that is repaired as any other. */
  const admit = (scorers: readonly ScorerProcess[]) => {
    const added = scorers.filter((scorer) => !running.includes(scorer));
    running = scorers;
    for (const scorer of added) {
      void scorer.ended.then((detail) => {
        if (wanted && running.includes(scorer)) crashed(scorer, detail);
      });
    }
    lead();
  };
  const crashed = (scorer: ScorerProcess, detail: string) => {
    running = running.filter((other) => other !== scorer);
    lead();
    crashCount += 1;
    const now = Date.now();
    crashes = [...crashes.filter((time) => now - time < crashWindowMilliseconds), now];
    const error = new SlipwayError('endpointFailed', { endpoint, detail });
    if (crashes.length > repairedCrashes) {
      fail(error);
      void inTurn(end);
      return;
    }
    log('warning', `${error.message}. It is started again.`);
    if (running.length === 0) setState('starting');
    else changed();
    void inTurn(repair).catch((reason: unknown) => {
      if (!wanted || state === 'failed') return;
      fail(reason);
      void inTurn(end);
    });
  };
  const announce = () => {
    if (!serving || !door) return;
    const ids = running.map(({ processId }) => processId).join(', ');
    log('info', `${endpoint}: ${described(serving)} on port ${door.port} (process ${ids}).`);
    if (state !== 'ready') readySince = Date.now();
    setState('ready');
  };
  /** Tells a scorer what was decided while it started, such as a rollback. */
  const catchUp = async (scorer: ScorerProcess, launched: Serving): Promise<void> => {
    let told = launched;
    while (serving && serving !== told) {
      const now = serving;
      for (const traffic of now.traffic) {
        if (!told.traffic.includes(traffic)) await scorer.order({ type: 'route', traffic });
      }
      // Loads have their turn after this, so that only labels can differ.
      for (const model of now.models) {
        const { name, version, labels = [] } = model;
        if (!told.models.includes(model)) await scorer.order({ type: 'label', name, version, labels });
      }
      told = now;
    }
  };
  const isKept = () => wanted && state !== 'failed';
  const repair = async () => {
    if (!isKept()) return;
    while (serving && door && running.length < serving.processes) {
      const known = serving;
      const scorer = await launchOne(known, door, grpcScorer === null || !running.includes(grpcScorer));
      await catchUp(scorer, known).catch((error: unknown) => {
        if (!hasEnded(error)) throw error;
      });
      // It was stopped meanwhile, or another one crashed once too often: nothing would end this one.
      if (!isKept()) {
        void leave([scorer]);
        return;
      }
      admit([...running, scorer]);
    }
    announce();
  };
  /** Ends all scorers, and the door with them. */
  const end = async () => {
    const scorers = running;
    running = [];
    versions = [];
    grpcPort = null;
    const closing = door;
    door = null;
    await closing?.close();
    await leave(scorers);
    await Promise.all(leaving);
  };

  const openNear = async (port: number | null): Promise<Door> => {
    const preferred = port ?? dependencies.lastPort() ?? 0;
    try {
      return await openDoor(host, preferred);
    } catch (error) {
      const taken = error instanceof SlipwayError && error.kind === 'portTaken';
      if (!taken || port !== null || preferred === 0) throw error;
      return openDoor(host, 0);
    }
  };
  const launchAll = async (wished: Serving, behind: Door): Promise<readonly ScorerProcess[]> => {
    const started = await Promise.allSettled(
      Array.from({ length: wished.processes }, (_, index) => launchOne(wished, behind, index === 0)),
    );
    const scorers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const refused = started.find((result) => result.status === 'rejected');
    if (!refused) return scorers;
    await leave(scorers);
    throw refused.reason;
  };
  const replace = async (wished: Serving, port: number | null): Promise<void> => {
    const old = { door, running, versions };
    const fresh = !old.door || (port !== null && port !== old.door.port);
    const opened = fresh ? await openNear(port) : old.door;
    if (!opened) throw new Error('There is a door, or it was opened.');
    if (grpcPort !== null && wished.options.grpcPort === grpcPort) {
      // Only one process at a time can have that port. Connections over HTTP wait at the door meanwhile.
      running = [];
      lead();
      await leave(old.running);
    }
    try {
      const scorers = await launchAll(wished, opened);
      if (!wanted) {
        await leave(scorers);
        throw new SlipwayError('cancelled');
      }
      door = opened;
      serving = wished;
      admit(scorers);
    } catch (error) {
      versions = old.versions;
      if (fresh) await opened.close();
      throw error;
    }
    if (fresh) await old.door?.close();
    void leave(old.running, replacedGraceMilliseconds);
    readySince = Date.now();
    crashes = [];
    announce();
  };

  /** @throws SlipwayError why one refuses. One that ended meanwhile is followed by one that knows. */
  const tellAll = async (what: ScorerOrder): Promise<void> => {
    const told = await Promise.allSettled(running.map((scorer) => scorer.order(what)));
    for (const result of told) {
      if (result.status === 'rejected' && !hasEnded(result.reason)) throw result.reason;
    }
  };
  const requireReady = () => {
    if (running.length === 0 || state !== 'ready') throw new SlipwayError('endpointNotReady', { endpoint });
  };
  const remember = (change: Partial<Serving>) => {
    if (serving) serving = { ...serving, ...change };
  };

  const isVersion =
    (name: string, version: number) =>
    (other: { readonly name: string; readonly version: number }): boolean =>
      other.name === name && other.version === version;
  const load = async (model: ScorerModelInput): Promise<ServedVersion> => {
    requireReady();
    const same = isVersion(model.name, model.version);
    const asked = running;
    const told = await Promise.allSettled(asked.map((scorer) => scorer.order({ type: 'load', model })));
    const refused = told.find((result) => result.status === 'rejected');
    if (refused) {
      // Where it was loaded it is not kept, unless it took the place of the same one.
      const { name, version } = model;
      const holders = asked.filter((_scorer, index) => told[index]?.status === 'fulfilled');
      if (!serving?.models.some(same)) {
        await Promise.allSettled(holders.map((scorer) => scorer.order({ type: 'unload', name, version })));
      }
      throw refused.reason;
    }
    const loaded = told.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []))[0];
    if (!loaded || !serving) throw new SlipwayError('endpointNotReady', { endpoint });
    remember({ models: [...serving.models.filter((other) => !same(other)), model] });
    versions = [...versions.filter((other) => !same(other)), loaded];
    changed();
    return loaded;
  };
  const unload = async (name: string, version: number): Promise<void> => {
    requireReady();
    await tellAll({ type: 'unload', name, version });
    const same = isVersion(name, version);
    remember({ models: (serving?.models ?? []).filter((other) => !same(other)) });
    versions = versions.filter((other) => !same(other));
    changed();
  };
  const route = async (traffic: TrafficSplitInput): Promise<void> => {
    if (!serving || state === 'stopped') throw new SlipwayError('endpointNotReady', { endpoint });
    const before = serving.traffic.find(({ model }) => model === traffic.model);
    const isDecided = () => serving?.traffic.includes(traffic) === true;
    const others = () => (serving?.traffic ?? []).filter(({ model }) => model !== traffic.model);
    // Remembered first: a scorer that is started meanwhile must know of it.
    remember({ traffic: [...others(), traffic] });
    try {
      await tellAll({ type: 'route', traffic });
    } catch (error) {
      // Unless something else was decided meanwhile, all go on as before, those that did not refuse, too.
      if (isDecided()) {
        remember({ traffic: [...others(), ...(before ? [before] : [])] });
        if (before) await tellAll({ type: 'route', traffic: before }).catch(() => undefined);
      }
      throw error;
    }
    changed();
  };
  /** Loads what is new and forgets what is not wanted any more, within the processes that run. */
  const move = async (wished: Serving): Promise<void> => {
    const old = serving?.models ?? [];
    for (const model of wished.models) {
      const known = old.find(isVersion(model.name, model.version));
      if (!known || !isDeepStrictEqual(known, model)) await load(model);
    }
    for (const traffic of wished.traffic) await route(traffic);
    for (const { name, version } of old) {
      if (!wished.models.some(isVersion(name, version))) await unload(name, version);
    }
    log('info', `${endpoint}: ${described(wished)}, in the same process.`);
  };
  /** Whether only models and traffic differ, and the first model's name, which addresses without one ask, does not. */
  const canMove = (wished: Serving, port: number | null): boolean =>
    serving !== null &&
    state === 'ready' &&
    (port === null || port === door?.port) &&
    wished.processes === serving.processes &&
    wished.models[0]?.name === serving.models[0]?.name &&
    isDeepStrictEqual(wished.options, serving.options);

  return {
    status: () => ({
      state,
      port: state === 'ready' ? (door?.port ?? null) : null,
      grpcPort: state === 'ready' ? grpcPort : null,
      readySince,
      failure,
      crashCount,
    }),
    serving: () => serving,
    versions: () => (state === 'ready' ? versions : []),
    statistics: () => sum.totals(),
    live,
    start(wished, port) {
      const stopsBefore = stops;
      return inTurn(async () => {
        if (stops !== stopsBefore) throw new SlipwayError('cancelled');
        const before = state;
        wanted = true;
        if (running.length === 0) setState('starting');
        try {
          if (canMove(wished, port)) await move(wished);
          else await replace(wished, port);
          if (stops !== stopsBefore) throw new SlipwayError('cancelled');
        } catch (error) {
          if (!wanted) throw new SlipwayError('cancelled', {}, { cause: error });
          if (running.length > 0) setState(before);
          else {
            wanted = false;
            // The door may still be that of scorers that crashed meanwhile: nobody is to wait there.
            await end();
            fail(error);
          }
          throw error;
        }
      });
    },
    load: (model) => inTurn(() => load(model)),
    unload: (name, version) => inTurn(() => unload(name, version)),
    route,
    async label(name, version, labels) {
      const same = isVersion(name, version);
      remember({
        models: (serving?.models ?? []).map((model) =>
          same(model) ? { ...model, labels: [...labels] } : model,
        ),
      });
      await tellAll({ type: 'label', name, version, labels: [...labels] });
    },
    fail,
    async stop() {
      wanted = false;
      stops += 1;
      // What runs is told at once; a start that is under way is waited for.
      void leave(running);
      await inTurn(async () => {
        await end();
        serving = null;
        setState('stopped');
      });
    },
  };
}

/** Whether an order was not followed because the scorer ended. */
function hasEnded(error: unknown): boolean {
  return error instanceof SlipwayError && error.kind === 'endpointFailed';
}

function described({ models }: Serving): string {
  const names = models.map(({ name, version }) => `version ${version} of "${name}"`);
  return `serves ${names.join(', ')}`;
}
