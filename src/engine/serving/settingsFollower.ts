import {
  type EndpointSettings,
  type RolloutPlan,
  rolloutPlan,
  settingsFile,
  type VersionChoice,
} from '../../protocol/endpointSettings.ts';
import { type Detail, detail } from '../../protocol/errorDetails.ts';
import { SlipwayError, toSlipwayError } from '../../protocol/errors.ts';
import type { RolloutSummary } from '../../protocol/serving.ts';
import { type Phrase, phrase, type Saying } from '../../protocol/servingSentences.ts';
import type { ChoiceRole, ChoiceStore } from './choiceStore.ts';
import type { Rollouts } from './rollouts.ts';
import type { SettingsInForce } from './settingsWatch.ts';
import type { EndpointDefinition } from './types.ts';

/** What following the settings and the registry needs of endpoints. */
export interface FollowedEndpoints {
  find(name: string): EndpointDefinition | null;
  save(definition: EndpointDefinition): void;
  /** Whether its processes run, or are being started. */
  isRunning(name: string): boolean;
  /** Whether it was asked anything since the engine started. */
  wasAsked(name: string): boolean;
  /** Starts its processes. @throws SlipwayError */
  run(definition: EndpointDefinition): Promise<void>;
  /** Puts what its settings say into practice where it runs already. @throws SlipwayError */
  applySettings(name: string): Promise<void>;
  /** Which version of a model a choice names; null when it names none. @throws SlipwayError `notFound` */
  resolve(model: string, choice: VersionChoice): number | null;
}

export interface FollowerDependencies {
  readonly settings: () => SettingsInForce;
  readonly endpoints: FollowedEndpoints;
  readonly choices: ChoiceStore;
  readonly rollouts: Pick<Rollouts, 'start' | 'giveUp' | 'current'>;
  /** A rollout was ended without a person who saw to it. */
  readonly replaced: (rollout: RolloutSummary, reason: Saying) => void;
  readonly note: (endpoint: string, who: string, kind: string, said: Saying) => void;
  readonly warn: (endpoint: string, sentence: string) => void;
}

/** A version that a choice names now. */
interface News {
  readonly definition: EndpointDefinition;
  readonly version: number;
  readonly declared: EndpointSettings;
  readonly isPlanWritten: boolean;
  readonly who: string;
  readonly why: Saying;
  readonly role: ChoiceRole;
  readonly choice: VersionChoice;
}

/** Stands in the audit trail for what the registry set off. For what the settings did, their file does. */
const registryName = 'registry';

/** Brings declared endpoints to what the settings and the registry say, one look after the other. */
export interface SettingsFollower {
  /** Looks at all declared endpoints; resolves when what follows from it has begun. */
  follow(): Promise<void>;
}

export function createSettingsFollower(dependencies: FollowerDependencies): SettingsFollower {
  const { settings, endpoints, choices, rollouts, replaced, note, warn } = dependencies;
  let queue: Promise<void> = Promise.resolve();
  /** What was said of an endpoint that cannot be followed, so that it is said once. */
  const said = new Map<string, string>();

  const followAll = async (): Promise<void> => {
    const { settings: read, written } = settings();
    for (const [name, declared] of Object.entries(read.endpoints)) {
      try {
        await followOne(name, declared, written.has(name));
        said.delete(name);
      } catch (error) {
        const { message } = toSlipwayError(error);
        if (said.get(name) !== message) warn(name, message);
        said.set(name, message);
      }
    }
  };
  const followOne = async (
    name: string,
    declared: EndpointSettings,
    isPlanWritten: boolean,
  ): Promise<void> => {
    const model = declared.model ?? name;
    const definition = endpoints.find(name);
    const stable = endpoints.resolve(model, declared.stable);
    if (stable === null && !definition) {
      throw new SlipwayError('notFound', { detail: missingVersion(model, declared.stable) });
    }
    if (definition === null || definition.modelName !== model) {
      if (stable !== null) await create(name, model, stable, declared, definition);
      return;
    }
    const wasNamed = choices.lastVersion(name, 'stable', declared.stable);
    const isNews = stable !== null && stable !== wasNamed && (declared.follow || wasNamed === null);
    if (stable !== null && isNews) {
      const who = wasNamed === null ? settingsFile : registryName;
      const choice = declared.stable;
      const why = [newsOf(choice)];
      await bringIn({
        definition,
        version: stable,
        declared,
        isPlanWritten,
        who,
        why,
        role: 'stable',
        choice,
      });
    }
    if (endpoints.isRunning(name)) await endpoints.applySettings(name);
    if (declared.candidate !== undefined) await followCandidate(name, model, declared, declared.candidate);
  };
  const followCandidate = async (
    name: string,
    model: string,
    declared: EndpointSettings,
    choice: VersionChoice,
  ): Promise<void> => {
    const role: ChoiceRole = 'candidate';
    const version = endpoints.resolve(model, choice);
    const definition = endpoints.find(name);
    if (version === null || definition === null || !endpoints.isRunning(name)) return;
    if (choices.lastVersion(name, role, choice) === version) return;
    const why = [newsOf(choice)];
    await bringIn({
      definition,
      version,
      declared,
      isPlanWritten: true,
      who: registryName,
      why,
      role,
      choice,
    });
  };
  const create = async (
    name: string,
    model: string,
    stable: number,
    declared: EndpointSettings,
    before: EndpointDefinition | null,
  ): Promise<void> => {
    const definition: EndpointDefinition = {
      name,
      modelName: model,
      modelVersion: stable,
      enabled: before?.enabled ?? true,
      port: declared.port ?? before?.port ?? null,
    };
    await end(name, settingsFile, [phrase('servesAnotherModel')]);
    endpoints.save(definition);
    choices.save(name, 'stable', declared.stable, stable);
    note(name, settingsFile, 'declared', [phrase('serves', { version: stable, model })]);
    if (definition.enabled) await endpoints.run(definition);
  };
  /** Ends the rollout that is under way, if any, and lets people know. */
  const end = async (name: string, who: string, reason: Saying): Promise<void> => {
    const current = rollouts.current(name);
    await rollouts.giveUp(name, who, reason);
    if (current) replaced(current, reason);
  };
  /** Brings a version in by the plan; where nobody asks the endpoint, at once unless the plan is written. */
  const bringIn = async (news: News): Promise<void> => {
    const { definition, version, declared, isPlanWritten, who, why, role, choice } = news;
    const { name } = definition;
    // With the beginning: what could not be begun is tried again with the next change.
    const begun = () => choices.save(name, role, choice, version);
    const current = rollouts.current(name);
    if (current?.candidateVersion === version) return begun();
    const { modelVersion } = endpoints.find(name) ?? definition;
    // What says no more than what is served anyway does not speak against a version that somebody brings in, unless it
    // was itself what named that version before.
    const isTakenBack = current !== null && choices.lastNamed(name, role) === current.candidateVersion;
    if (version === modelVersion && !isTakenBack) return begun();
    await end(name, who, [phrase('takesItsPlace', { version }), ...why]);
    if (version === modelVersion) return begun();
    if (!endpoints.isRunning(name)) {
      endpoints.save({ ...definition, modelVersion: version });
      note(name, who, 'versionChanged', [phrase('stableFromNextStart', { version }), ...why]);
      return begun();
    }
    const plan: RolloutPlan =
      isPlanWritten || endpoints.wasAsked(name)
        ? declared.rollout
        : rolloutPlan.parse({ strategy: 'direct', promote: declared.rollout.promote });
    await rollouts.start({ endpoint: name, modelVersion: version, plan, who, why, begun });
  };

  return {
    follow() {
      queue = queue.then(followAll);
      return queue;
    },
  };
}

function newsOf(choice: VersionChoice): Phrase {
  if ('stage' in choice) return phrase('isInStage', { stage: choice.stage });
  return 'alias' in choice ? phrase('hasAlias', { alias: choice.alias }) : phrase('isNamedBySettings');
}

function missingVersion(model: string, choice: VersionChoice): Detail {
  if ('stage' in choice) return detail('noVersionInStageYet', { model, stage: choice.stage });
  return 'alias' in choice
    ? detail('noVersionOfAliasYet', { model, alias: choice.alias })
    : detail('noVersionOfNumberYet', { model, version: choice.version });
}
