import type { RolloutSummary } from '../../protocol/serving.ts';
import type { StoredRollout } from './rolloutStore.ts';
import type { RolloutProgress } from './rolloutTypes.ts';

/** What there is to say of a rollout. `progress` is null while its candidate is being loaded. */
export function rolloutSummary(rollout: StoredRollout, progress: RolloutProgress | null): RolloutSummary {
  const { id, endpoint, model, stableVersion, candidateVersion, plan, startedAt } = rollout;
  const outcomes = [...(progress?.goal ? [progress.goal] : []), ...(progress?.checks ?? [])];
  return {
    id,
    endpoint,
    model,
    stableVersion,
    candidateVersion,
    strategy: plan.strategy,
    state: progress?.state ?? 'running',
    reason: progress?.reason ?? null,
    step: progress?.step ?? 0,
    stepCount: plan.strategy === 'canary' ? plan.steps.length : 0,
    share: progress?.share ?? 0,
    checks: outcomes.flatMap(({ outcome }) => outcome ?? []),
    startedAt,
    stepSince: progress?.stepSince ?? startedAt,
    endedAt: progress?.endedAt ?? null,
  };
}
