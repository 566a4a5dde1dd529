import type { VersionChoice } from '../../protocol/endpointSettings.ts';
import { type ErrorCategory, SlipwayError } from '../../protocol/errors.ts';
import { errorSentence, phrase, type Saying, say } from '../../protocol/servingSentences.ts';
import type { RegistryService } from '../registry/service.ts';
import type { StoredRollout } from './rolloutStore.ts';

/** What the trail of an endpoint keeps of what the registry was told. */
export interface RegistryNote {
  readonly who: string;
  readonly kind: 'registryRefused' | 'registryRestored';
  readonly said: Saying;
}

/**
 * Keeps the registry to what is served. It writes within the transaction that its caller has begun: what a rollout decided
 * and what the registry says of it are one.
 */
export interface RolloutRegistry {
  /** The candidate moves to Production. @returns what to note; null when that is told by the registry alone. */
  promote(rollout: StoredRollout, who: string, why: Saying): RegistryNote | null;
  /**
   * The candidate is not what is served: where the registry says so because of this rollout, or set it off, it says again
   * what is. Whatever was decided there since is left alone.
   *
   * @returns what to note; null when there is nothing to take back.
   */
  takeBack(rollout: StoredRollout, who: string, why: Saying): RegistryNote | null;
}

export interface RolloutRegistryDependencies {
  readonly registry: Pick<RegistryService, 'promote' | 'takeBack' | 'model' | 'setAlias'>;
  /** By what the endpoint follows the registry; null when it does not. */
  readonly follows: (endpoint: string) => VersionChoice | null;
  /** The endpoint is at this version of what it follows, so that the other one is news when it is named again. */
  readonly followed: (endpoint: string, choice: VersionChoice, version: number) => void;
  /** Another endpoint whose stable version it is; null when there is none. */
  readonly servedBesides: (endpoint: string, model: string, version: number) => string | null;
}

/** The registry's own answers, which come before it writes anything. */
const refusals: ReadonlySet<ErrorCategory> = new Set(['invalid', 'notFound', 'alreadyExists', 'denied']);

export function createRolloutRegistry(dependencies: RolloutRegistryDependencies): RolloutRegistry {
  const { registry, follows, followed, servedBesides } = dependencies;

  const takeStageBack = (
    { endpoint, model: name, candidateVersion: candidate, stableVersion: stable }: StoredRollout,
    stage: 'Staging' | 'Production',
    who: string,
    why: string,
  ): Saying | null => {
    const elsewhere = servedBesides(endpoint, name, candidate);
    if (elsewhere !== null) {
      const holds = registry
        .model(name)
        .latestVersions.some((held) => held.version === candidate && held.stage === stage);
      return holds ? [phrase('stageServedElsewhere', { candidate, stage, endpoint: elsewhere })] : null;
    }
    const taken = registry.takeBack({ name, version: candidate, inFavourOf: stable, stage, who, why });
    if (taken === null) return null;
    followed(endpoint, { stage }, stable);
    const { former, isGivenBack } = taken;
    return [
      isGivenBack
        ? phrase('stageGivenBack', { candidate, former, stable, stage })
        : phrase('stageTakenBack', { candidate, former }),
    ];
  };
  const giveAliasBack = (
    { endpoint, model, candidateVersion: candidate, stableVersion: stable }: StoredRollout,
    alias: string,
  ): Saying | null => {
    const named = registry.model(model).aliases.find((known) => known.alias === alias);
    if (named?.version !== candidate) return null;
    const elsewhere = servedBesides(endpoint, model, candidate);
    if (elsewhere !== null)
      return [phrase('aliasServedElsewhere', { alias, candidate, endpoint: elsewhere })];
    registry.setAlias(model, alias, stable);
    followed(endpoint, { alias }, stable);
    return [phrase('aliasGivenBack', { alias, stable })];
  };
  const noting = (
    rollout: StoredRollout,
    who: string,
    failure: (rollout: StoredRollout) => Saying,
    work: () => Saying | null,
  ): RegistryNote | null => {
    try {
      const said = work();
      return said && { who, kind: 'registryRestored', said };
    } catch (error) {
      // A version that is gone hinders no rollout. What hinders the store hinders all of it.
      if (!(error instanceof SlipwayError) || !refusals.has(error.category)) throw error;
      return { who: 'registry', kind: 'registryRefused', said: [...failure(rollout), errorSentence(error)] };
    }
  };

  return {
    promote(rollout, who, why) {
      const { model: name, candidateVersion: version } = rollout;
      const failure = () => [phrase('registryRefused', { version })];
      return noting(rollout, who, failure, () => {
        registry.promote({ name, version, stage: 'Production', who, why: say(why) });
        return null;
      });
    },
    takeBack(rollout, who, why) {
      const choice = follows(rollout.endpoint);
      const wasPromoted = rollout.plan.promote && rollout.progress?.state === 'promoted';
      return noting(
        rollout,
        who,
        () => [phrase('registryKept')],
        () => {
          if (choice !== null && 'alias' in choice) {
            const said = giveAliasBack(rollout, choice.alias);
            if (said !== null || !wasPromoted) return said;
          }
          const stage =
            choice !== null && 'stage' in choice ? choice.stage : wasPromoted ? 'Production' : null;
          if (stage !== 'Staging' && stage !== 'Production') return null;
          return takeStageBack(rollout, stage, who, say(why));
        },
      );
    },
  };
}
