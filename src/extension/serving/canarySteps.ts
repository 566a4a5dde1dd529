import { type RolloutPlanInput, rolloutPlan } from '../../protocol/endpointSettings.ts';
import type { Translator } from '../../protocol/translator.ts';
import type { Formats } from '../views/formats.ts';

type Steps = NonNullable<RolloutPlanInput['steps']>;

/** The steps that a question begins with. */
export const usualSteps = '5% 1m, 25% 1m, 50% 1m';

const minute = 60_000;
const hour = 60 * minute;

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

/** Such as "5% for 1 min, 25% for 10 min, 50% until you confirm". */
export function stepsText(
  steps: Steps,
  { l10n, formats }: { readonly l10n: Translator; readonly formats: Pick<Formats, 'duration' | 'share'> },
): string {
  const holdText = (milliseconds: number): string => {
    if (milliseconds >= hour && milliseconds % hour === 0) return l10n.t('{0} h', milliseconds / hour);
    if (milliseconds < hour && milliseconds >= minute && milliseconds % minute === 0) {
      return l10n.t('{0} min', milliseconds / minute);
    }
    return formats.duration(milliseconds);
  };
  return rolloutPlan
    .parse({ steps })
    .steps.map(({ share, hold }) =>
      hold === 'confirm'
        ? l10n.t('{0} until you confirm', formats.share(share / 100))
        : l10n.t('{0} for {1}', formats.share(share / 100), holdText(hold)),
    )
    .join(', ');
}
