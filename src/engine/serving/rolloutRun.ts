import { toSlipwayError } from '../../protocol/errors.ts';
import type { ScorerModelInput, TrafficSplitInput } from '../../protocol/scorer.ts';
import { errorSentence, phrase, type Saying } from '../../protocol/servingSentences.ts';
import type { RolloutSample, WorkerJobOf } from '../../protocol/worker.ts';
import type { RolloutClock } from './rolloutClock.ts';
import {
  addTraffic,
  type RolloutObservation,
  trafficOf,
  trafficOfFirstStep,
  trafficOfNewStep,
  trafficSince,
} from './rolloutObservation.ts';
import { begin, callOff, type Decision, decide, giveUp, look, reasonOf } from './rolloutRules.ts';
import type { StoredRollout } from './rolloutStore.ts';
import {
  analysis,
  goneOn,
  isOver,
  type Move,
  notBegun,
  type RolloutAction,
  type Turn,
} from './rolloutTurns.ts';
import type { RolloutProgress, RolloutTarget, RolloutTraffic } from './rolloutTypes.ts';

/** What a rollout under way stands on. */
export interface RolloutSurroundings {
  readonly clock: RolloutClock;
  /** The processes of the endpoint; null when they were stopped. */
  readonly target: () => RolloutTarget | null;
  /** @throws SlipwayError why the version cannot be served. */
  readonly servable: (model: string, version: number) => Promise<ScorerModelInput>;
  /** How the endpoint's requests are led, given how far the rollout is. */
  readonly traffic: (rollout: StoredRollout, progress: RolloutProgress) => TrafficSplitInput;
  /** Writes how far it is, and what happened, in one durable transaction. */
  readonly record: (
    rollout: StoredRollout,
    progress: RolloutProgress,
    traffic: RolloutTraffic,
    actions: readonly RolloutAction[],
  ) => void;
  /** Writes the outcome of a look that changed nothing. */
  readonly saveLook: (rollout: StoredRollout, progress: RolloutProgress, traffic: RolloutTraffic) => void;
  readonly sample: (job: WorkerJobOf<'rolloutSample'>, signal: AbortSignal) => Promise<RolloutSample>;
  readonly inferenceLog: (endpoint: string) => string;
  /** Told of what went wrong on the way and stops nothing. */
  readonly warn: (sentence: string) => void;
  /** Told when it is over. */
  readonly over: () => void;
}

/** One rollout that is under way. */
export interface RolloutRun {
  readonly rollout: StoredRollout;
  /** Null while the candidate is being loaded. */
  progress(): RolloutProgress | null;
  /** Loads the candidate and leads requests to it; one that was begun before goes on where it was. */
  start(): Promise<void>;
  /** @returns false when that is not possible in its state. */
  decide(decision: Decision): Promise<boolean>;
  giveUp(who: string, reason: Saying): Promise<void>;
  /** Looks at once, at the counters alone. */
  lookNow(): Promise<void>;
  /** Looks no more; it can go on with another engine. */
  dispose(): void;
}

const fromLog: ReadonlySet<string> = new Set(['predictionDrift', 'quality', 'reward']);

export function createRolloutRun(rollout: StoredRollout, surroundings: RolloutSurroundings): RolloutRun {
  const { clock, target, warn } = surroundings;
  const { plan } = rollout;
  const needsSample =
    plan.strategy === 'bandit' ||
    (plan.strategy === 'abTest' && plan.goal !== 'errorRate') ||
    plan.checks.some(({ metric }) => fromLog.has(metric));
  const closing = new AbortController();
  let progress = rollout.progress;
  /** What was seen since the step began up to `seenAt`, and the counters at that moment. */
  let seen = rollout.traffic;
  let counters: RolloutTraffic | null = null;
  let unschedule: () => void = () => undefined;

  const observe = (running: RolloutTarget): RolloutTraffic => {
    const now = trafficOf(rollout, running);
    // A new engine, or the first look: what the counters hold was there before.
    seen = counters === null ? seen : addTraffic(seen, trafficSince(counters, now));
    counters = now;
    return seen;
  };
  const apply = async (turn: Turn): Promise<void> => {
    const before = { progress, seen, counters };
    const isNewStep = before.progress === null || before.progress.step !== turn.progress.step;
    progress = turn.progress;
    if (isNewStep) {
      const running = target();
      // Up to this moment, so that nothing is missing in what later steps compare with.
      if (running && before.progress !== null) observe(running);
      counters = running && trafficOf(rollout, running);
      seen = before.progress === null ? trafficOfFirstStep(rollout, counters) : trafficOfNewStep(seen);
    }
    const routed = turn.actions.some(({ type }) => type === 'route') ? lead(turn.progress) : null;
    try {
      if (turn.actions.length > 0) surroundings.record(rollout, turn.progress, seen, turn.actions);
      else surroundings.saveLook(rollout, turn.progress, seen);
    } catch (error) {
      // What could not be written has not happened: the next look, or the person, tries it again.
      ({ progress, seen, counters } = before);
      if (routed && progress) void lead(progress);
      throw error;
    }
    if (isOver(turn.progress)) {
      unschedule();
      closing.abort();
      surroundings.over();
    }
    await routed;
  };
  /** The command leaves at once; its answer is waited for. */
  const lead = async (wanted: RolloutProgress): Promise<void> => {
    const running = target();
    if (running === null) return;
    try {
      await running.route(surroundings.traffic(rollout, wanted));
    } catch (error) {
      warn(`The requests of "${rollout.endpoint}" could not be led anew: ${messageOf(error)}`);
    }
  };
  const lookOnce = async (withSample: boolean): Promise<void> => {
    const running = target();
    if (running === null || progress === null || isOver(progress)) return;
    const { step } = progress;
    const sample = withSample && needsSample ? await takeSample() : null;
    // Something may have been decided meanwhile.
    if (progress.step !== step || isOver(progress) || closing.signal.aborted) return;
    const observation: RolloutObservation = { ...observe(running), sample };
    const now = clock.now();
    const turn = look(rollout, progress, observation, now);
    await apply({ ...turn, progress: { ...turn.progress, lookedAt: now } });
  };
  const takeSample = async (): Promise<RolloutSample | null> => {
    try {
      return await surroundings.sample(
        {
          type: 'rolloutSample',
          inferenceLog: surroundings.inferenceLog(rollout.endpoint),
          model: rollout.model,
          stableVersion: rollout.stableVersion,
          candidateVersion: rollout.candidateVersion,
          shadow: plan.strategy === 'shadow',
          from: rollout.startedAt,
        },
        closing.signal,
      );
    } catch (error) {
      // The checks that need it are inconclusive without it.
      if (!closing.signal.aborted) warn(`The inference log could not be looked at: ${messageOf(error)}`);
      return null;
    }
  };
  const schedule = () => {
    if (closing.signal.aborted || (progress !== null && isOver(progress))) return;
    unschedule = clock.after(plan.interval, () => {
      lookOnce(true).then(schedule, (error: unknown) => {
        warn(`A look at the rollout failed: ${messageOf(error)}`);
        schedule();
      });
    });
  };
  const end = async (by: (move: Move) => Turn, who: string, why: Saying): Promise<void> => {
    const now = clock.now();
    await apply(by({ rollout, progress: progress ?? notBegun(plan, now), who, why, now }));
  };
  const load = async (): Promise<boolean> => {
    const running = target();
    const { model, candidateVersion } = rollout;
    try {
      const described = await surroundings.servable(model, candidateVersion);
      const isLoaded = running
        ?.versions()
        .some(({ name, version }) => name === model && version === candidateVersion);
      if (running && !isLoaded) await running.load(described);
      return true;
    } catch (error) {
      if (closing.signal.aborted) return false;
      const refused = phrase('cannotBeServed', { version: candidateVersion });
      await end(callOff, analysis, [refused, errorSentence(error)]);
      return false;
    }
  };

  return {
    rollout,
    progress: () => progress,
    async start() {
      if (!(await load()) || closing.signal.aborted) return;
      if (progress === null) await apply(begin(rollout, rollout.who, rollout.why, clock.now()));
      else if (!isOver(progress)) {
        progress = goneOn(progress, clock.now());
        const running = target();
        counters = running && trafficOf(rollout, running);
        await lead(progress);
      }
      schedule();
    },
    async decide(decision) {
      if (progress === null) {
        if (decision.decision !== 'rollBack') return false;
        const { who } = decision;
        await end(callOff, who, [phrase('calledOffBy', { who }), ...reasonOf(decision)]);
        return true;
      }
      const turn = decide(rollout, progress, decision, clock.now());
      if (turn === null) return false;
      await apply(turn);
      return true;
    },
    giveUp: (who, reason) => end(giveUp, who, reason),
    lookNow: () => lookOnce(false),
    dispose() {
      unschedule();
      closing.abort();
    },
  };
}

function messageOf(error: unknown): string {
  return toSlipwayError(error).message;
}
