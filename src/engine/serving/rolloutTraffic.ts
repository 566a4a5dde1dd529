import type { TrafficSplitInput } from '../../protocol/scorer.ts';
import type { Rollout, RolloutEndpoint, RolloutProgress } from './rolloutTypes.ts';

/**
 * How the requests of an endpoint's model are led: by the shares of a rollout that is under way, else all to the stable
 * version. The salt differs from rollout to rollout, so that it is not always the same keys that meet a candidate first.
 */
export function rolloutTraffic(
  rollout: Rollout | null,
  progress: RolloutProgress | null,
  { model, stableVersion, sticky, shadow }: RolloutEndpoint,
): TrafficSplitInput {
  const salt = `rollout-${rollout?.id ?? 0}`;
  if (rollout === null || progress === null) {
    return { model, salt, sticky, shadow, variants: [{ name: 'stable', version: stableVersion, share: 1 }] };
  }
  const { share, shadowShare, state } = progress;
  const { candidateVersion } = rollout;
  const hears = shadowShare > 0 ? { version: candidateVersion, share: shadowShare } : shadow;
  const alone = state === 'promoted' ? candidateVersion : share === 0 ? rollout.stableVersion : null;
  if (alone !== null) {
    const variants = [{ name: 'stable', version: alone, share: 1 }];
    return { model, salt, sticky, variants, shadow: hears?.version === alone ? null : hears };
  }
  return {
    model,
    salt,
    sticky,
    variants: [
      { name: 'stable', version: rollout.stableVersion, share: 1 - share },
      { name: 'candidate', version: candidateVersion, share },
    ],
    shadow: hears,
  };
}
