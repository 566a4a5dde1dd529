import { type RolloutPlanInput, rolloutPlan } from '../../protocol/endpointSettings.ts';

type Steps = NonNullable<RolloutPlanInput['steps']>;

/** The steps that a question begins with. */
export const usualSteps = '5% 1m, 25% 1m, 50% 1m';

const step = /^(\d+(?:\.\d+)?)\s*%?(?:\s+(confirm|\d+(?:\.\d+)?(?:ms|s|m|h|d)))?$/;

/**
 * Reads steps such as `5% 1m, 25% 10m, 50% confirm`: the candidate's share and how long it is kept, a minute when that is
 * left out. Null when they do not read so, or a share does not grow.
 */
export function parseSteps(text: string): Steps | null {
  const steps: Steps = [];
  let before = 0;
  for (const part of text.split(',')) {
    const [, share, hold = '1m'] = step.exec(part.trim()) ?? [];
    if (share === undefined || !(Number(share) > before && Number(share) <= 100)) return null;
    before = Number(share);
    steps.push({ share: before, hold });
  }
  return rolloutPlan.safeParse({ steps }).success ? steps : null;
}

/** Such as "5%, 25%, 50%". */
export function sharesText(steps: Steps): string {
  return steps.map(({ share }) => `${share}%`).join(', ');
}
