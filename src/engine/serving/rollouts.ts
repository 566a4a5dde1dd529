import type { RolloutPlan } from '../../protocol/endpointSettings.ts';
import { SlipwayError, toSlipwayError } from '../../protocol/errors.ts';
import type { ScorerModelInput, TrafficSplitInput } from '../../protocol/scorer.ts';
import type { RolloutSummary } from '../../protocol/serving.ts';
import { phrase, type Saying, say } from '../../protocol/servingSentences.ts';
import type { RolloutSample, WorkerJobOf } from '../../protocol/worker.ts';
import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import type { EventStore } from './eventStore.ts';
import type { RolloutClock } from './rolloutClock.ts';
import { noTraffic } from './rolloutObservation.ts';
import type { RegistryNote, RolloutRegistry } from './rolloutRegistry.ts';
import { type Decision, reasonOf } from './rolloutRules.ts';
import { createRolloutRun, type RolloutRun } from './rolloutRun.ts';
import type { RolloutStore, StoredRollout } from './rolloutStore.ts';
import { rolloutSummary } from './rolloutSummary.ts';
import { rolloutTraffic } from './rolloutTraffic.ts';
import type { RolloutEndpoint, RolloutProgress, RolloutTarget } from './rolloutTypes.ts';

export interface RolloutDependencies {
  readonly database: Pick<Database, 'durableTransaction'>;
  readonly store: RolloutStore;
  readonly events: EventStore;
  readonly changes: Pick<Changes, 'serving' | 'log'>;
  readonly clock: RolloutClock;
  /** @throws SlipwayError `notFound` */
  readonly endpoint: (name: string) => RolloutEndpoint;
  /** The processes of an endpoint; null when they were stopped. */
  readonly target: (endpoint: string) => RolloutTarget | null;
  /** @throws SlipwayError why the version cannot be served. */
  readonly servable: (model: string, version: number) => Promise<ScorerModelInput>;
  /** Makes a version the stable one of an endpoint, in its definition. */
  readonly adopt: (endpoint: string, version: number) => void;
  readonly registry: RolloutRegistry;
  readonly sample: (job: WorkerJobOf<'rolloutSample'>, signal: AbortSignal) => Promise<RolloutSample>;
  readonly inferenceLog: (endpoint: string) => string;
}

export interface NewRollout {
  readonly endpoint: string;
  readonly modelVersion: number;
  readonly plan: RolloutPlan;
  readonly who: string;
  readonly why: Saying;
  /** Writes what belongs to its beginning, in one transaction with it. */
  readonly begun?: () => void;
}

/** The rollouts of all endpoints. */
export interface Rollouts {
  /**
   * Begins to bring a version in, and answers when it is loaded and requests are led to it. One that cannot be loaded
   * is rolled back at once, with the reason in the answer.
   *
   * @throws SlipwayError `notFound`, `rolloutUnderWay`, `versionIsStable` or `endpointNotReady`.
   */
  start(rollout: NewRollout): Promise<RolloutSummary>;
  /**
   * Does what a person decided, at once. `rollBack` after a promotion makes the version before it the stable one again.
   *
   * @throws SlipwayError `noRollout` when there is none that this fits.
   */
  decide(endpoint: string, decision: Decision): Promise<RolloutSummary>;
  /** The rollout that is under way; null when there is none. */
  current(endpoint: string): RolloutSummary | null;
  /** Newest first, the one under way included. */
  history(endpoint: string, limit: number): readonly RolloutSummary[];
  /**
   * How the requests of an endpoint's model are to be led now; before `resume` all to the stable version.
   *
   * @throws SlipwayError `notFound`
   */
  traffic(endpoint: string, described?: RolloutEndpoint): TrafficSplitInput;
  /** The processes of an endpoint are ready: a rollout that was under way goes on. */
  resume(endpoint: string): Promise<void>;
  /** The processes of an endpoint were stopped: a rollout that is under way waits. */
  suspend(endpoint: string): void;
  /** Ends the rollout that is under way, if any: something else takes its place. */
  giveUp(endpoint: string, who: string, reason: Saying): Promise<void>;
  /** A process of the endpoint ended unasked. */
  crashed(endpoint: string): Promise<void>;
  rename(endpoint: string, newName: string, newModelName: string): void;
  /** Removes the rollouts of an endpoint; its audit trail stays. */
  forget(endpoint: string): void;
  /** Looks no more; rollouts that are under way go on with the next engine. */
  close(): void;
}

export function createRollouts(dependencies: RolloutDependencies): Rollouts {
  const { database, store, events, changes, clock, target, registry } = dependencies;
  const runs = new Map<string, RolloutRun>();
  /** Versions that are being unloaded, by endpoint. */
  const leaving = new Map<string, Promise<void>>();

  const warn = (endpoint: string, sentence: string) =>
    changes.log('warning', `${endpoint}: ${sentence}`, endpoint);
  const trafficOf = (rollout: StoredRollout, progress: RolloutProgress): TrafficSplitInput =>
    rolloutTraffic(rollout, progress, dependencies.endpoint(rollout.endpoint));

  const open = (rollout: StoredRollout): RolloutRun => {
    const { endpoint, model, candidateVersion, plan } = rollout;
    const run = createRolloutRun(rollout, {
      clock,
      target: () => target(endpoint),
      servable: dependencies.servable,
      traffic: trafficOf,
      record(_rollout, progress, traffic, actions) {
        const why = progress.reason ?? [];
        database.durableTransaction(() => {
          store.save(rollout.id, progress, traffic);
          for (const action of actions) {
            switch (action.type) {
              case 'promote':
                dependencies.adopt(endpoint, candidateVersion);
                if (plan.promote) noteOfRegistry(endpoint, registry.promote(rollout, action.who, why));
                break;
              case 'takeBack':
                noteOfRegistry(endpoint, registry.takeBack(rollout, action.who, why));
                break;
              case 'note': {
                const { kind, who, said } = action;
                events.note({ endpoint, when: clock.now(), who, kind, said });
              }
            }
          }
        });
        changes.serving(endpoint);
      },
      saveLook(_rollout, progress, traffic) {
        store.save(rollout.id, progress, traffic);
        changes.serving(endpoint);
      },
      sample: dependencies.sample,
      inferenceLog: dependencies.inferenceLog,
      warn: (sentence) => warn(endpoint, sentence),
      over() {
        if (runs.get(endpoint) === run) runs.delete(endpoint);
        // What was not taken stays loaded only where it is asked for otherwise; what was replaced stays until the next.
        if (run.progress()?.state === 'rolledBack')
          leaving.set(endpoint, forget(endpoint, model, [candidateVersion]));
      },
    });
    return run;
  };
  const noteOfRegistry = (endpoint: string, told: RegistryNote | null) => {
    if (told === null) return;
    events.note({ endpoint, when: clock.now(), ...told });
    if (told.kind === 'registryRefused') warn(endpoint, say(told.said));
  };
  /** Unloads versions of a model that no traffic is led to. */
  const forget = async (endpoint: string, model: string, versions: readonly number[]): Promise<void> => {
    const running = target(endpoint);
    if (running === null) return;
    const { stableVersion, shadow, keptVersions } = dependencies.endpoint(endpoint);
    const needed = new Set([stableVersion, shadow?.version, ...keptVersions]);
    for (const version of versions) {
      const isLoaded = running.versions().some((one) => one.name === model && one.version === version);
      if (needed.has(version) || !isLoaded) continue;
      try {
        await running.unload(model, version);
      } catch (error) {
        warn(endpoint, `Version ${version} was not unloaded: ${toSlipwayError(error).message}`);
      }
    }
  };
  const leftVersions = (endpoint: string, model: string, kept: readonly number[]): readonly number[] =>
    (target(endpoint)?.versions() ?? [])
      .filter(({ name, version }) => name === model && !kept.includes(version))
      .map(({ version }) => version);
  const summaryOf = (rollout: StoredRollout): RolloutSummary => {
    const run = runs.get(rollout.endpoint);
    return rolloutSummary(rollout, run?.rollout.id === rollout.id ? run.progress() : rollout.progress);
  };
  const latest = (endpoint: string): StoredRollout | undefined => store.rollouts(endpoint, 1)[0];
  const isUnderWay = ({ progress }: StoredRollout) =>
    progress === null || progress.state === 'running' || progress.state === 'paused';

  /** The last rollout was promoted, and a person does not want it after all. */
  const undo = async (rollout: StoredRollout, decision: Decision): Promise<RolloutSummary> => {
    const { who } = decision;
    const { endpoint, model, stableVersion, candidateVersion, progress } = rollout;
    if (
      progress?.state !== 'promoted' ||
      dependencies.endpoint(endpoint).stableVersion !== candidateVersion
    ) {
      throw new SlipwayError('noRollout', { endpoint });
    }
    const running = target(endpoint);
    const isLoaded = running
      ?.versions()
      .some(({ name, version }) => name === model && version === stableVersion);
    if (running && !isLoaded) await running.load(await dependencies.servable(model, stableVersion));
    const now = clock.now();
    const reason = [phrase('takenBackBy', { who }), ...reasonOf(decision)];
    const undone: RolloutProgress = { ...progress, state: 'rolledBack', reason, share: 0, endedAt: now };
    const routed = running?.route(trafficOf(rollout, undone));
    database.durableTransaction(() => {
      store.save(rollout.id, undone, rollout.traffic);
      dependencies.adopt(endpoint, stableVersion);
      const said = [phrase('answersAgain', { version: stableVersion }), ...reason];
      events.note({ endpoint, when: now, who, kind: 'rolledBack', said });
      noteOfRegistry(endpoint, registry.takeBack(rollout, who, reason));
    });
    await routed;
    changes.serving(endpoint);
    return rolloutSummary(rollout, undone);
  };

  return {
    async start({ endpoint, modelVersion, plan, who, why, begun }) {
      const { model, stableVersion } = dependencies.endpoint(endpoint);
      const last = latest(endpoint);
      if (last && isUnderWay(last)) {
        throw new SlipwayError('rolloutUnderWay', { endpoint, version: last.candidateVersion });
      }
      if (modelVersion === stableVersion) {
        throw new SlipwayError('versionIsStable', { endpoint, version: modelVersion });
      }
      if (target(endpoint) === null) throw new SlipwayError('endpointNotReady', { endpoint });
      const rollout = database.durableTransaction(() => {
        begun?.();
        return store.insert({
          endpoint,
          model,
          stableVersion,
          candidateVersion: modelVersion,
          plan,
          who,
          why,
          traffic: noTraffic,
          startedAt: clock.now(),
        });
      });
      const run = open(rollout);
      runs.set(endpoint, run);
      changes.serving(endpoint);
      await leaving.get(endpoint);
      await forget(endpoint, model, leftVersions(endpoint, model, [stableVersion, modelVersion]));
      await run.start();
      // It may have been called off while it was being loaded.
      if (run.progress()?.state === 'rolledBack' && !runs.has(endpoint))
        await forget(endpoint, model, [modelVersion]);
      return rolloutSummary(rollout, run.progress());
    },
    async decide(endpoint, decision) {
      dependencies.endpoint(endpoint);
      const run = runs.get(endpoint);
      if (run) {
        if (!(await run.decide(decision))) throw new SlipwayError('noRollout', { endpoint });
        return rolloutSummary(run.rollout, run.progress());
      }
      const last = latest(endpoint);
      if (!last) throw new SlipwayError('noRollout', { endpoint });
      if (!isUnderWay(last)) {
        if (decision.decision !== 'rollBack') throw new SlipwayError('noRollout', { endpoint });
        return undo(last, decision);
      }
      // Its endpoint does not run: what is decided holds when it does.
      const waiting = open(last);
      if (!(await waiting.decide(decision))) throw new SlipwayError('noRollout', { endpoint });
      return rolloutSummary(last, waiting.progress());
    },
    current(endpoint) {
      const last = latest(endpoint);
      if (!last) return null;
      const summary = summaryOf(last);
      return summary.state === 'running' || summary.state === 'paused' ? summary : null;
    },
    history: (endpoint, limit) => store.rollouts(endpoint, limit).map(summaryOf),
    traffic(endpoint, described = dependencies.endpoint(endpoint)) {
      const run = runs.get(endpoint);
      return rolloutTraffic(run?.rollout ?? null, run?.progress() ?? null, described);
    },
    async resume(endpoint) {
      const last = latest(endpoint);
      if (!last || !isUnderWay(last) || runs.has(endpoint)) return;
      const run = open(last);
      runs.set(endpoint, run);
      await run.start();
    },
    suspend(endpoint) {
      runs.get(endpoint)?.dispose();
      runs.delete(endpoint);
    },
    async giveUp(endpoint, who, reason) {
      const run = runs.get(endpoint);
      const last = latest(endpoint);
      if (run) await run.giveUp(who, reason);
      else if (last && isUnderWay(last)) await open(last).giveUp(who, reason);
    },
    async crashed(endpoint) {
      await runs.get(endpoint)?.lookNow();
    },
    rename(endpoint, newName, newModelName) {
      runs.get(endpoint)?.dispose();
      runs.delete(endpoint);
      store.rename(endpoint, newName, newModelName);
      events.rename(endpoint, newName);
    },
    forget(endpoint) {
      runs.get(endpoint)?.dispose();
      runs.delete(endpoint);
      leaving.delete(endpoint);
      store.forget(endpoint);
    },
    close() {
      for (const run of runs.values()) run.dispose();
      runs.clear();
    },
  };
}
