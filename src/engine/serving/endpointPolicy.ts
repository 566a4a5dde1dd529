import { userInfo } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import {
  type EndpointSettings,
  rolloutPlan,
  settingsFile,
  type VersionChoice,
} from '../../protocol/endpointSettings.ts';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError, toSlipwayError } from '../../protocol/errors.ts';
import type { EndpointFollows } from '../../protocol/serving.ts';
import { type Phrase, phrase, type Saying, say } from '../../protocol/servingSentences.ts';
import { createChoiceStore } from './choiceStore.ts';
import type { EndpointPolicy, PolicyDependencies } from './endpointPolicyTypes.ts';
import { createEventStore, type EventStore } from './eventStore.ts';
import { sampleOf, shareProcesses } from './processOptions.ts';
import { createRolloutRegistry } from './rolloutRegistry.ts';
import { createRolloutStore } from './rolloutStore.ts';
import { createRollouts } from './rollouts.ts';
import type { RolloutEndpoint } from './rolloutTypes.ts';
import { createSettingsFollower } from './settingsFollower.ts';
import {
  changeServing,
  type SettingsSurroundings,
  servingOf,
  shadowOf,
  stickyOf,
} from './settingsServing.ts';
import { type SettingsWatch, watchSettings } from './settingsWatch.ts';
import type { Serving, SupervisorStatus } from './supervisorTypes.ts';
import type { EndpointDefinition } from './types.ts';

export function createEndpointPolicy(dependencies: PolicyDependencies): EndpointPolicy {
  const { database, changes, registry, control, workspace, clock } = dependencies;
  const trail = createEventStore(database);
  const events: EventStore = {
    ...trail,
    note(event) {
      trail.note(event);
      changes.log('info', `${event.endpoint}: ${say(event.said)} (${event.who})`, event.endpoint);
    },
  };
  const choices = createChoiceStore(database);
  const person = personName();
  const crashes = new Map<string, Pick<SupervisorStatus, 'crashCount' | 'crashedRuns'>>();
  let watch: SettingsWatch | null = null;
  let listening: { dispose(): void } | null = null;
  let following: Promise<void> = Promise.resolve();

  const note = (endpoint: string, who: string, kind: string, said: Saying) => {
    try {
      events.note({ endpoint, when: clock.now(), who, kind, said });
    } catch (error) {
      // A trail that cannot be written stops no endpoint, and keeps none from being started again.
      warn(endpoint, `${say(said)} (${who}) This could not be recorded: ${toSlipwayError(error).message}`);
    }
    changes.serving(endpoint);
  };
  const warn = (endpoint: string, sentence: string) =>
    changes.log('warning', `${endpoint}: ${sentence}`, endpoint);
  const settingsOf = (endpoint: string): EndpointSettings | undefined => {
    const endpoints = watch?.current().settings.endpoints ?? {};
    return Object.hasOwn(endpoints, endpoint) ? endpoints[endpoint] : undefined;
  };
  const definitionOf = (name: string): EndpointDefinition => {
    const definition = control.find(name);
    if (!definition) throw new SlipwayError('notFound', { detail: detail('noEndpoint', { endpoint: name }) });
    return definition;
  };
  const isRunning = (name: string) =>
    control.find(name) !== null && ['starting', 'ready'].includes(control.supervisor(name).status().state);
  const resolve = (model: string, choice: VersionChoice): number | null => {
    if ('version' in choice) return registry.modelVersion(model, choice.version).version;
    const { aliases, latestVersions } = registry.model(model);
    if ('stage' in choice) return latestVersions.find(({ stage }) => stage === choice.stage)?.version ?? null;
    return aliases.find(({ alias }) => alias === choice.alias)?.version ?? null;
  };
  const readServable = (model: string, version: number) =>
    control.whenRead(() => control.servable(model, version));
  const surroundings = (endpoint: string): SettingsSurroundings => ({
    resolve: (model, choice) => {
      try {
        return resolve(model, choice);
      } catch (error) {
        if (error instanceof SlipwayError && error.category === 'notFound') return null;
        throw error;
      }
    },
    servable: control.servable,
    inferenceLog: control.inferenceLog(endpoint),
    warn: (sentence) => warn(endpoint, sentence),
  });
  const describe = ({ name, modelName, modelVersion }: EndpointDefinition): RolloutEndpoint => {
    const settings = settingsOf(name);
    const around = surroundings(name);
    return {
      model: modelName,
      stableVersion: modelVersion,
      sticky: stickyOf(settings),
      shadow: shadowOf(modelName, modelVersion, settings, around),
      keptVersions: (settings?.models ?? [])
        .filter(({ model }) => model === modelName)
        .flatMap(({ model, of }) => around.resolve(model, of) ?? []),
    };
  };
  /** The settings stay as somebody wrote them, and name the other version wherever they are used next. */
  const noteIfSettingsDiffer = (endpoint: string, version: number) => {
    const stable = settingsOf(endpoint)?.stable;
    if (stable === undefined || !('version' in stable) || stable.version === version) return;
    const said = [phrase('settingsNameAnother', { named: stable.version, version })];
    events.note({ endpoint, when: clock.now(), who: settingsFile, kind: 'settingsDiffer', said });
  };
  const rollouts = createRollouts({
    database,
    store: createRolloutStore(database),
    events,
    changes,
    clock,
    endpoint: (name) => describe(definitionOf(name)),
    target: (name) => (isRunning(name) ? control.supervisor(name) : null),
    servable: readServable,
    adopt(name, version) {
      control.save({ ...definitionOf(name), modelVersion: version });
      noteIfSettingsDiffer(name, version);
    },
    registry: createRolloutRegistry({
      registry,
      follows(endpoint) {
        const settings = settingsOf(endpoint);
        return settings?.follow ? settings.stable : null;
      },
      followed: (endpoint, choice, version) => choices.save(endpoint, 'stable', choice, version),
      servedBesides: (endpoint, model, version) =>
        control
          .all()
          .find(
            ({ name, modelName, modelVersion }) =>
              name !== endpoint && modelName === model && modelVersion === version,
          )?.name ?? null,
    }),
    sample: dependencies.sample,
    inferenceLog: control.inferenceLog,
  });
  const serving = (definition: EndpointDefinition): Serving => {
    const { name } = definition;
    return servingOf(rollouts.traffic(name, describe(definition)), settingsOf(name), surroundings(name));
  };

  const follower = createSettingsFollower({
    settings: () => watch?.current() ?? { settings: { endpoints: {} }, written: new Set() },
    choices,
    rollouts,
    replaced: ({ endpoint, candidateVersion }, reason) =>
      changes.rolloutReplaced(endpoint, candidateVersion, reason),
    note,
    warn,
    endpoints: {
      find: control.find,
      save: control.save,
      isRunning,
      wasAsked: (name) =>
        control
          .supervisor(name)
          .statistics()
          .variants.some(({ requestCount }) => requestCount > 0),
      run: control.run,
      async applySettings(name) {
        const supervisor = control.supervisor(name);
        const before = supervisor.serving();
        if (before === null || supervisor.status().state !== 'ready') return;
        const wanted = await control.whenRead(() => serving(definitionOf(name)));
        const port = settingsOf(name)?.port ?? null;
        const moves = port !== null && port !== supervisor.status().port;
        const changed = (said: Phrase) => note(name, settingsFile, 'settingsChanged', [said]);
        if (moves || !shareProcesses(before, wanted)) {
          changes.log('info', `${name}: Its settings changed, so new processes are being started.`, name);
          await control.run(definitionOf(name));
          changed(phrase('settingsTookEffect'));
          return;
        }
        const share = sampleOf(wanted);
        if (share !== sampleOf(before)) {
          await supervisor.keepShare(share);
          changed(phrase('logKeepsShare', { share: { share } }));
        }
        await changeServing(supervisor, before, wanted);
      },
      resolve,
    },
  });
  /** Tells the scorers by which stages and aliases clients may ask for their versions. */
  const relabel = async (name: string): Promise<void> => {
    const supervisor = control.supervisor(name);
    if (supervisor.status().state !== 'ready') return;
    for (const model of supervisor.serving()?.models ?? []) {
      try {
        const { labels = [] } = await readServable(model.name, model.version);
        if (JSON.stringify(labels) !== JSON.stringify(model.labels ?? [])) {
          await supervisor.label(model.name, model.version, labels);
        }
      } catch (error) {
        // A version that was deleted keeps its labels until it is unloaded.
        if (!(error instanceof SlipwayError)) throw error;
      }
    }
  };
  /** A candidate that was deleted is not brought in. */
  const endWithoutCandidate = async (name: string): Promise<void> => {
    const current = rollouts.current(name);
    if (current === null) return;
    const { model, candidateVersion: version } = current;
    if (surroundings(name).resolve(model, { version }) !== null) return;
    await rollouts.giveUp(name, 'registry', [phrase('versionWasDeleted', { version })]);
  };
  /** All that follows from a change, one after the other. */
  const follow = () => {
    following = following
      .then(async () => {
        for (const { name } of control.all()) await endWithoutCandidate(name);
        await follower.follow();
        for (const { name } of control.all()) await relabel(name);
      })
      // What cannot be followed now must not keep what changes next from being followed.
      .catch((error: unknown) =>
        changes.log('error', `A change was not followed: ${toSlipwayError(error).message}`),
      );
  };
  /** What was decided while processes were being started, such as a rollback, holds for them, too. */
  const leadAsDecided = async (name: string): Promise<void> => {
    const supervisor = control.supervisor(name);
    try {
      const split = rollouts.traffic(name);
      const led = supervisor.serving()?.traffic.find(({ model }) => model === split.model);
      if (isDeepStrictEqual(led, split)) return;
      for (const { version } of [...split.variants, ...(split.shadow ? [split.shadow] : [])]) {
        const isLoaded = supervisor
          .versions()
          .some((one) => one.name === split.model && one.version === version);
        if (!isLoaded) await supervisor.load(await readServable(split.model, version));
      }
      // Again, as something may have been decided during a load.
      await supervisor.route(rollouts.traffic(name));
    } catch (error) {
      warn(name, `Its requests could not be led as was decided: ${toSlipwayError(error).message}`);
    }
  };

  return {
    begin() {
      if (workspace === null) return;
      watch = watchSettings(workspace, {
        changed() {
          changes.settingsRead([]);
          for (const { name } of control.all()) changes.serving(name);
          follow();
        },
        refused(problems) {
          changes.settingsRead(problems);
          for (const problem of problems) {
            const { message } = new SlipwayError('settingsInvalid', { file: settingsFile, ...problem });
            changes.log('error', message);
          }
        },
        unwatched: (detail) =>
          changes.log('warning', `Changes of slipway.yaml are not seen before the next start: ${detail}`),
      });
      // Stages and aliases move by other processes, too.
      listening = changes.listen((event) => {
        if (event === 'registry/changed') follow();
      });
      follow();
    },
    serving,
    port: (name) => settingsOf(name)?.port ?? null,
    facts(name) {
      const settings = settingsOf(name);
      return {
        rollout: rollouts.current(name),
        follows: followsOf(settings),
        declared: settings !== undefined,
      };
    },
    async chosen({ name, modelVersion }) {
      await rollouts.giveUp(name, person, [phrase('isServedBy', { who: person, version: modelVersion })]);
    },
    async started({ name, modelVersion }, who) {
      note(name, who ?? person, 'started', [phrase('answersWith', { version: modelVersion })]);
      await rollouts.resume(name);
      await leadAsDecided(name);
    },
    stopped(name, who, why) {
      rollouts.suspend(name);
      note(name, who ?? person, 'stopped', why);
    },
    noticed(name) {
      const { crashCount, crashedRuns } = control.supervisor(name).status();
      const before = crashes.get(name);
      if (crashCount <= (before?.crashCount ?? 0)) return;
      crashes.set(name, { crashCount, crashedRuns });
      const ended = crashedRuns.find(
        (run) => !before?.crashedRuns.some((known) => isDeepStrictEqual(known, run)),
      );
      const said = ended
        ? phrase('processEndedInRun', { version: ended.version, model: ended.model })
        : phrase('processEnded');
      note(name, 'engine', 'crashed', [said]);
      rollouts.crashed(name).catch((error: unknown) => warn(name, toSlipwayError(error).message));
    },
    renamed(name, to) {
      rollouts.rename(name, to.name, to.modelName);
      choices.forget(name);
      crashes.delete(name);
    },
    async leaves(name) {
      const refuseDeclared = () => {
        if (settingsOf(name))
          throw new SlipwayError('endpointDeclared', { endpoint: name, file: settingsFile });
      };
      refuseDeclared();
      await rollouts.giveUp(name, person, [phrase('endpointIsDeleted', { who: person })]);
      // The settings may have changed meanwhile.
      refuseDeclared();
    },
    deleted(name, remove) {
      // Whoever reads the trail is to find that it was deleted, or it is there still.
      database.durableTransaction(() => {
        events.note({
          endpoint: name,
          when: clock.now(),
          who: person,
          kind: 'deleted',
          said: [phrase('endpointIsDeleted', { who: person }), phrase('answersNoMore')],
        });
        rollouts.forget(name);
        choices.forget(name);
        remove();
      });
      crashes.delete(name);
      changes.serving(name);
    },
    async startRollout(endpoint, modelVersion, plan, who) {
      const declared = plan === null ? settingsOf(endpoint)?.rollout : undefined;
      const chosen = declared ?? rolloutPlan.parse(plan ?? {});
      return rollouts.start({ endpoint, modelVersion, plan: chosen, who, why: [] });
    },
    decideRollout: rollouts.decide,
    rollouts: rollouts.history,
    events: events.events,
    async close() {
      listening?.dispose();
      watch?.dispose();
      await following;
      rollouts.close();
    },
  };
}

function followsOf(settings: EndpointSettings | undefined): EndpointFollows {
  if (settings === undefined || !settings.follow) return { type: 'pinned' };
  const { stable } = settings;
  if ('stage' in stable) return { type: 'stage', stage: stable.stage };
  return 'alias' in stable ? { type: 'alias', alias: stable.alias } : { type: 'pinned' };
}

/** Who uses this machine, for the audit trail. */
function personName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number without a name.
    return 'somebody';
  }
}
