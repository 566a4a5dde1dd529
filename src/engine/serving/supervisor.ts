import { type Detail, worded } from '../../protocol/errorDetails.ts';
import { type ErrorData, SlipwayError, toErrorData } from '../../protocol/errors.ts';
import type { EndpointState } from '../../protocol/serving.ts';
import type { Doors } from '../../supervision/door.ts';
import { closeDoors, leadInTurn } from '../../supervision/doors.ts';
import type { ScorerProcess } from '../../supervision/scorerProcess.ts';
import { createCrashedRuns } from './crashedRuns.ts';
import { createStatisticsSum } from './endpointStatistics.ts';
import { createLiveSeries } from './liveSeries.ts';
import { createNamedHosts } from './namedHosts.ts';
import { shareProcesses } from './processOptions.ts';
import { createScorerOrders, hasEnded, type Served } from './scorerOrders.ts';
import { renewDoors } from './supervisedDoors.ts';
import type { Serving, Supervisor, SupervisorDependencies } from './supervisorTypes.ts';

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
  let doors: Doors | null = null;
  const served: Served = { serving: null, versions: [] };
  const hosts = createNamedHosts();
  let running: readonly ScorerProcess[] = [];
  let readySince: number | null = null;
  let wanted = false;
  /** Stops that were asked for, so that a start knows of those that came after it. */
  let stops = 0;
  let crashes: readonly number[] = [];
  let crashCount = 0;
  const crashedRuns = createCrashedRuns();
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
    if (doors) leadInTurn(doors, () => running);
  };
  const leave = (scorers: readonly ScorerProcess[], graceMilliseconds = 0): Promise<void> => {
    const left = Promise.all(scorers.map((scorer) => scorer.drain(graceMilliseconds))).then(() => undefined);
    leaving.add(left);
    void left.finally(() => leaving.delete(left));
    return left;
  };

  const launchOne = async (wished: Serving, behind: Doors): Promise<ScorerProcess> => {
    const count = sum.source();
    const named = hosts.all();
    const scorer = launch(hosts.added(wished, named), behind, {
      running: () => running,
      statistics(statistics) {
        live.add(count(statistics), Date.now());
        changed();
      },
      log,
    });
    try {
      served.versions = (await scorer.ready).versions;
      await hosts.tell(scorer, named);
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
  const crashed = (scorer: ScorerProcess, detail: string | Detail) => {
    running = running.filter((other) => other !== scorer);
    lead();
    crashCount += 1;
    crashedRuns.add(String(worded(detail)));
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
    if (!served.serving || !doors) return;
    const ids = running.map(({ processId }) => processId).join(', ');
    log('info', `${endpoint}: ${described(served.serving)} on port ${doors.http.port} (process ${ids}).`);
    if (state !== 'ready') readySince = Date.now();
    setState('ready');
  };
  const isKept = () => wanted && state !== 'failed';
  const repair = async () => {
    if (!isKept()) return;
    while (served.serving && doors && running.length < served.serving.processes) {
      const known = served.serving;
      const scorer = await launchOne(known, doors);
      await orders.catchUp(scorer, known).catch((error: unknown) => {
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
  /** Ends all scorers, and the doors with them. */
  const end = async () => {
    const scorers = running;
    running = [];
    served.versions = [];
    const closing = doors;
    doors = null;
    if (closing) await closeDoors(closing);
    await leave(scorers);
    await Promise.all(leaving);
  };

  const launchAll = async (wished: Serving, behind: Doors): Promise<readonly ScorerProcess[]> => {
    const started = await Promise.allSettled(
      Array.from({ length: wished.processes }, () => launchOne(wished, behind)),
    );
    const scorers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const refused = started.find((result) => result.status === 'rejected');
    if (!refused) return scorers;
    await leave(scorers);
    throw refused.reason;
  };
  const replace = async (wished: Serving, port: number | null): Promise<void> => {
    const { versions } = served;
    const old = running;
    const lastPort = dependencies.lastPort();
    const renewed = await renewDoors(doors, { host, port, lastPort, grpcPort: wished.grpcPort });
    try {
      const scorers = await launchAll(wished, renewed.doors);
      if (!wanted) {
        await leave(scorers);
        throw new SlipwayError('cancelled');
      }
      doors = renewed.doors;
      served.serving = wished;
      admit(scorers);
    } catch (error) {
      served.versions = versions;
      await Promise.all(renewed.opened.map((door) => door.close()));
      throw error;
    }
    await Promise.all(renewed.left.map((door) => door.close()));
    void leave(old, replacedGraceMilliseconds);
    readySince = Date.now();
    crashes = [];
    announce();
  };
  const orders = createScorerOrders({
    endpoint,
    served,
    running: () => running,
    requireReady() {
      if (running.length === 0 || state !== 'ready') throw new SlipwayError('endpointNotReady', { endpoint });
    },
    changed,
  });
  /** Whether only models, traffic and the log's sample differ, and the first model's name, which addresses without one ask, does not. */
  const canMove = (serving: Serving, wished: Serving, port: number | null): boolean =>
    state === 'ready' &&
    (port === null || port === doors?.http.port) &&
    wished.models[0]?.name === serving.models[0]?.name &&
    shareProcesses(wished, serving);

  return {
    status: () => ({
      state,
      port: state === 'ready' ? (doors?.http.port ?? null) : null,
      grpcPort: state === 'ready' ? (doors?.grpc?.port ?? null) : null,
      readySince,
      failure,
      crashCount,
      crashedRuns: crashedRuns.all(),
    }),
    serving: () => served.serving,
    versions: () => (state === 'ready' ? served.versions : []),
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
          if (served.serving && canMove(served.serving, wished, port)) {
            await orders.move(served.serving, wished);
            log('info', `${endpoint}: ${described(wished)}, in the same process.`);
          } else {
            await replace(wished, port);
          }
          if (stops !== stopsBefore) throw new SlipwayError('cancelled');
        } catch (error) {
          if (!wanted) throw new SlipwayError('cancelled', {}, { cause: error });
          if (running.length > 0) setState(before);
          else {
            wanted = false;
            // The doors may still be those of scorers that crashed meanwhile: nobody is to wait there.
            await end();
            fail(error);
          }
          throw error;
        }
      });
    },
    load: (model) => inTurn(() => orders.load(model)),
    unload: (name, version) => inTurn(() => orders.unload(name, version)),
    async route(traffic) {
      if (state === 'stopped') throw new SlipwayError('endpointNotReady', { endpoint });
      await orders.route(traffic);
    },
    label: (name, version, labels) => orders.label(name, version, labels),
    keepShare: (share) => inTurn(() => orders.keepShare(share)),
    serveHost: hosts.serve,
    fail,
    async stop() {
      wanted = false;
      stops += 1;
      // What runs is told at once; a start that is under way is waited for.
      void leave(running);
      await inTurn(async () => {
        await end();
        served.serving = null;
        setState('stopped');
      });
    },
  };
}

function described({ models }: Serving): string {
  const names = models.map(({ name, version }) => `version ${version} of "${name}"`);
  return `serves ${names.join(', ')}`;
}
