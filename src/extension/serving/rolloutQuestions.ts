import { l10n, ThemeIcon, window } from 'vscode';
import type { RolloutPlanInput } from '../../protocol/endpointSettings.ts';
import type { EndpointSummary } from '../../protocol/serving.ts';
import type { Formats } from '../views/formats.ts';
import { choose } from '../views/quickPick.ts';
import { parseSteps, stepsText, usualSteps } from './canarySteps.ts';

/** How a version is to come in; `plan` null stands for what slipway.yaml says. */
export interface ChosenPlan {
  readonly plan: RolloutPlanInput | null;
  /** What happens to requests, as a sentence for the confirmation. */
  readonly traffic: string;
}

type Strategy = NonNullable<RolloutPlanInput['strategy']> | 'declared';

/** Asks how `candidate` is to come in beside the stable version. Undefined when the person gave up. */
export async function askPlan(
  endpoint: EndpointSummary,
  candidate: number,
  formats: Formats,
): Promise<ChosenPlan | undefined> {
  const stable = endpoint.modelVersion;
  switch (await askStrategy(endpoint, candidate)) {
    case undefined:
      return undefined;
    case 'declared':
      return {
        plan: null,
        traffic: l10n.t(
          'Version {0} gets traffic as slipway.yaml says, beside version {1}.',
          candidate,
          stable,
        ),
      };
    case 'canary': {
      const steps = await askSteps(candidate);
      if (!steps) return undefined;
      return {
        plan: { strategy: 'canary', steps },
        traffic: l10n.t(
          'Version {0} answers a growing share of the requests: {1}; then all of them. When a check fails, version {2} answers all again.',
          candidate,
          stepsText(steps, { l10n, formats }),
          stable,
        ),
      };
    }
    case 'abTest': {
      const share = await askShare(candidate);
      const goal = share === undefined ? undefined : await askGoal();
      if (share === undefined || goal === undefined) return undefined;
      return {
        plan: { strategy: 'abTest', share, goal },
        traffic: l10n.t(
          'Version {0} answers {1}% of the requests and version {2} the others, until one is shown to be better.',
          candidate,
          share,
          stable,
        ),
      };
    }
    case 'shadow':
      return {
        plan: { strategy: 'shadow', share: 100 },
        traffic: l10n.t(
          'Version {1} goes on answering all requests. Version {0} gets copies of them, and its answers are only compared.',
          candidate,
          stable,
        ),
      };
    case 'bandit': {
      const share = await askShare(candidate);
      return share === undefined
        ? undefined
        : {
            plan: { strategy: 'bandit', share },
            traffic: l10n.t(
              'Version {0} begins with {1}% of the requests. The rewards that clients report move the shares of it and version {2}; you decide when it ends.',
              candidate,
              share,
              stable,
            ),
          };
    }
    case 'direct':
      return {
        plan: { strategy: 'direct' },
        traffic: l10n.t(
          'Version {0} answers all requests at once, in place of version {1}.',
          candidate,
          stable,
        ),
      };
  }
}

function askStrategy(endpoint: EndpointSummary, candidate: number): Promise<Strategy | undefined> {
  const choice = (value: Strategy, icon: string, label: string, detail: string) => ({
    label,
    detail,
    iconPath: new ThemeIcon(icon),
    value,
  });
  return choose<Strategy>({
    title: l10n.t('How is version {0} to come in at "{1}"?', candidate, endpoint.name),
    placeholder: l10n.t('Version {0} answers now', endpoint.modelVersion),
    choices: [
      ...(endpoint.declared
        ? [
            choice(
              'declared',
              'file-code',
              l10n.t('As slipway.yaml Says'),
              l10n.t('the plan of this endpoint'),
            ),
          ]
        : []),
      choice(
        'canary',
        'git-merge',
        l10n.t('Canary'),
        l10n.t('a growing share of the requests, each step checked; back by itself when a check fails'),
      ),
      choice(
        'shadow',
        'eye',
        l10n.t('Shadow'),
        l10n.t('hears what the other is asked and answers nobody; predictions are compared'),
      ),
      choice(
        'abTest',
        'beaker',
        l10n.t('A/B Test'),
        l10n.t('a fixed share, until a test that may be looked at any time decides'),
      ),
      choice(
        'bandit',
        'graph-line',
        l10n.t('Bandit'),
        l10n.t('rewards move the shares to whoever does better; it is no evidence'),
      ),
      choice('direct', 'rocket', l10n.t('All at Once'), l10n.t('no trial; you can roll back')),
    ],
    none: '',
  });
}

async function askSteps(candidate: number): Promise<ReturnType<typeof parseSteps> | undefined> {
  const text = await window.showInputBox({
    title: l10n.t('The steps of version {0}', candidate),
    prompt: l10n.t('Shares that grow, each with how long it is kept (30s, 10m, 2h) or "confirm" to be asked'),
    value: usualSteps,
    validateInput: (value) =>
      parseSteps(value) ? undefined : l10n.t('Steps read like "5% 1m, 25% 10m, 50% confirm".'),
  });
  return text === undefined ? undefined : parseSteps(text);
}

async function askShare(candidate: number): Promise<number | undefined> {
  const text = await window.showInputBox({
    title: l10n.t('How many percent of the requests for version {0}?', candidate),
    value: '50',
    validateInput: (value) =>
      isShare(Number(value)) ? undefined : l10n.t('A share is more than 0 and less than 100 percent.'),
  });
  return text === undefined ? undefined : Number(text);
}

function isShare(value: number): boolean {
  return value > 0 && value < 100;
}

function askGoal(): Promise<RolloutPlanInput['goal']> {
  return choose<NonNullable<RolloutPlanInput['goal']>>({
    title: l10n.t('What decides?'),
    placeholder: l10n.t('Reported by clients, or counted here'),
    choices: [
      {
        label: l10n.t('Reward'),
        detail: l10n.t('a business figure that clients send for each request'),
        value: 'reward',
      },
      {
        label: l10n.t('Quality'),
        detail: l10n.t('how right the predictions were, by labels that come later'),
        value: 'quality',
      },
      { label: l10n.t('Error Rate'), detail: l10n.t('requests that failed'), value: 'errorRate' },
    ],
    none: '',
  });
}
