import { setTimeout as wait } from 'node:timers/promises';
import { worded } from '../protocol/errorDetails.ts';
import { type SlipwayError, toSlipwayError } from '../protocol/errors.ts';
import type { ServedVersion } from '../protocol/scorer.ts';
import type { BegunScorer } from './begunScorer.ts';
import { closeDoors, leadInTurn, openDoors } from './doors.ts';
import { reachableHost } from './reachableHost.ts';
import {
  type DoorlessOptions,
  type ScorerListener,
  type ScorerProcess,
  startScorerProcess,
} from './scorerProcess.ts';

/** Scorer processes that answer at one address without an engine. */
export interface Fleet {
  /** Where to reach them, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  /** Null when nothing is answered over gRPC. */
  readonly grpcPort: number | null;
  /** What the first one said of its models. */
  readonly versions: readonly ServedVersion[];
  /** Of those that run at the moment. */
  processIds(): readonly number[];
  /** Settles when none runs any more: null when that was asked for, else why no process could be started again. */
  readonly ended: Promise<SlipwayError | null>;
  /** Lets all answer what is under way, and end. */
  drain(): Promise<void>;
}

export interface FleetOptions {
  /** Entry file of the scorer process. */
  readonly script: string;
  readonly scorer: DoorlessOptions;
  /** 0 takes a free one. */
  readonly port: number;
  /** For gRPC, in the same way; null answers none, and is the default. */
  readonly grpcPort?: number | null;
  /** So many share the ports. */
  readonly processes: number;
  /** A process that was begun already, for the first of them. */
  readonly begun?: BegunScorer | null;
  /** Hears lines for the person who watches. */
  readonly log: (message: string) => void;
}

/** One that ended so soon after it was ready is started again with a delay. */
const stableMilliseconds = 10_000;
const firstDelayMilliseconds = 100;
const longestDelayMilliseconds = 5_000;
/** So many starts in a row may fail before it is given up. */
const failedStarts = 3;

/**
 * Starts scorers and keeps their number: one that crashed, or was killed because a run of its model took too long, is
 * started again, and connections wait for it.
 *
 * @throws SlipwayError what the first one failed with, or `portTaken`.
 */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { script, scorer, port, grpcPort = null, processes, begun = null, log } = options;
  const { host, endpoint } = scorer;
  const doors = await openDoors(host, port, grpcPort);
  let running: readonly ScorerProcess[] = [];
  const stopped = new AbortController();
  const nowRun = (scorers: readonly ScorerProcess[]) => {
    running = scorers;
    leadInTurn(doors, () => running);
  };

  const launch = async (): Promise<ScorerProcess & { readonly said: Awaited<ScorerProcess['ready']> }> => {
    const listener: ScorerListener = {
      running: () => running,
      statistics: () => undefined,
      log: (_level, message) => log(message),
    };
    const told = { ...scorer, shared: processes > 1 };
    const started = startScorerProcess(script, told, doors, listener, begun?.take());
    const drain = () => void started.drain();
    void started.ended.then(() => {
      stopped.signal.removeEventListener('abort', drain);
      nowRun(running.filter((other) => other !== started));
    });
    if (stopped.signal.aborted) drain();
    else stopped.signal.addEventListener('abort', drain, { once: true });
    const said = await started.ready;
    nowRun([...running, started]);
    return { ...started, said };
  };

  /** Starts another in the place of one that ended; null when that is not wanted any more. */
  const replace = async (quickEnds: number): Promise<ScorerProcess | null> => {
    for (let attempt = 1; ; attempt += 1) {
      const delay = firstDelayMilliseconds * (2 ** (quickEnds + attempt - 1) - 1);
      await wait(Math.min(longestDelayMilliseconds, delay), null, stopped).catch(() => null);
      if (stopped.signal.aborted) return null;
      try {
        return await launch();
      } catch (error) {
        if (stopped.signal.aborted) return null;
        if (attempt === failedStarts) throw error;
      }
    }
  };
  /** Sees to it that there is a process in the place of this one, as long as that is wanted. */
  const keep = async (first: ScorerProcess): Promise<void> => {
    let kept = first;
    let quickEnds = 0;
    for (;;) {
      const readyAt = performance.now();
      const detail = await kept.ended;
      if (stopped.signal.aborted) return;
      quickEnds = performance.now() - readyAt < stableMilliseconds ? quickEnds + 1 : 0;
      log(`${endpoint}: ${worded(detail)}. It is started again.`);
      const replacement = await replace(Math.max(0, quickEnds - 1));
      if (replacement === null) return;
      kept = replacement;
      log(`${endpoint}: it answers again (process ${kept.processId}).`);
    }
  };
  const stop = () => stopped.abort();

  try {
    const first = await launch();
    const rest = await Promise.all(Array.from({ length: processes - 1 }, () => launch()));
    let failure: SlipwayError | null = null;
    const keepers = [first, ...rest].map((process) =>
      keep(process).catch((error: unknown) => {
        failure = toSlipwayError(error);
        stop();
      }),
    );
    const all = [first, ...rest];
    const ended = Promise.all([...keepers, ...all.map((process) => process.ended)]).then(async () => {
      await Promise.all(running.map((process) => process.ended));
      await closeDoors(doors);
      return failure;
    });
    return {
      url: `http://${reachableHost(host)}:${doors.http.port}`,
      port: doors.http.port,
      grpcPort: doors.grpc?.port ?? null,
      versions: first.said.versions,
      processIds: () => running.flatMap(({ processId }) => processId ?? []),
      ended,
      async drain() {
        stop();
        await ended;
      },
    };
  } catch (error) {
    stop();
    await Promise.all(running.map((process) => process.ended));
    await closeDoors(doors);
    throw error;
  }
}
