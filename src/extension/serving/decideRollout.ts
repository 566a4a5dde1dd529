import { userInfo } from 'node:os';
import { l10n, window } from 'vscode';
import type { EndpointSummary, RolloutSummary } from '../../protocol/serving.ts';
import type { EndpointTarget } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { Formats } from '../views/formats.ts';
import { choose } from '../views/quickPick.ts';
import { endpointDescription, endpointIcon } from './endpointDescription.ts';

export type Decision = 'promote' | 'rollBack' | 'pause' | 'resume';

/** Ends, pauses or continues the rollout that is under way at an endpoint. */
export async function decideRollout(
  folders: EngineFolders,
  formats: Formats,
  decision: Decision,
  target: EndpointTarget | undefined,
): Promise<void> {
  const found = await findRollout(folders, formats, decision, target);
  if (!found) return;
  const { client, rollout } = found;
  // To go back is never asked twice: it is what one does in a hurry, and it takes nothing away.
  if (decision === 'promote' && !(await confirmed(rollout))) return;
  const decided = await client.request('serving/decideRollout', {
    endpoint: rollout.endpoint,
    decision,
    who: userInfo().username,
    why: '',
  });
  void window.showInformationMessage(outcomeOf(decision, decided));
}

interface FoundRollout {
  readonly client: EngineClient;
  readonly rollout: RolloutSummary;
}

/**
 * The rollout of the target, the only one that fits the decision, or the one that the person chooses. Where none is under
 * way, one that ended with a promotion can be rolled back; the person always chooses that one.
 */
async function findRollout(
  folders: EngineFolders,
  formats: Formats,
  decision: Decision,
  target: EndpointTarget | undefined,
): Promise<FoundRollout | undefined> {
  const clients = target ? [folders.of(target.folder)] : await folders.needed();
  const lists = await Promise.all(
    clients.map(async (client) => {
      const endpoints = await client.request('serving/endpoints', {});
      return endpoints.map((endpoint) => ({ client, endpoint }));
    }),
  );
  const found = lists
    .flat()
    .filter(({ endpoint }) => target === undefined || endpoint.name === target.endpoint)
    .flatMap(({ client, endpoint }) => {
      const { rollout } = endpoint;
      return rollout !== null && fits(rollout, decision) ? [{ client, endpoint, rollout }] : [];
    });
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  const promoted =
    decision === 'rollBack' && !only
      ? await promotedOnes(
          lists.flat().filter(({ endpoint }) => target === undefined || endpoint.name === target.endpoint),
        )
      : [];
  return choose({
    title: l10n.t('Choose a rollout'),
    placeholder: '',
    choices: [...found, ...promoted].map(({ client, endpoint, rollout }) => ({
      label: endpoint.name,
      detail: `v${rollout.stableVersion} → v${rollout.candidateVersion}`,
      description: endpointDescription(endpoint, formats),
      iconPath: endpointIcon(endpoint),
      value: { client, rollout },
    })),
    none: noneText(
      decision,
      target,
      lists.flat().map(({ endpoint }) => endpoint),
    ),
  });
}

interface ListedRollout extends FoundRollout {
  readonly endpoint: EndpointSummary;
}

/** The rollouts whose candidate answers all requests now, in place of the version before it. */
async function promotedOnes(
  endpoints: readonly Omit<ListedRollout, 'rollout'>[],
): Promise<readonly ListedRollout[]> {
  const lasts = await Promise.all(
    endpoints.map(async ({ client, endpoint }) => {
      const { rollouts } = await client.request('serving/live', {
        endpoint: endpoint.name,
        from: Date.now(),
      });
      const [last] = rollouts;
      const answers = last?.state === 'promoted' && last.candidateVersion === endpoint.modelVersion;
      return answers ? [{ client, endpoint, rollout: last }] : [];
    }),
  );
  return lasts.flat();
}

function fits({ state }: RolloutSummary, decision: Decision): boolean {
  if (decision === 'pause') return state === 'running';
  if (decision === 'resume') return state === 'paused';
  return true;
}

function noneText(
  decision: Decision,
  target: EndpointTarget | undefined,
  endpoints: readonly EndpointSummary[],
): string {
  const coming = endpoints.some(
    ({ name, rollout }) => rollout !== null && (target === undefined || name === target.endpoint),
  );
  if (!coming) return l10n.t('No rollout is under way.');
  return decision === 'pause'
    ? l10n.t('The rollout is paused already.')
    : l10n.t('The rollout is not paused.');
}

async function confirmed({ endpoint, candidateVersion, stableVersion }: RolloutSummary): Promise<boolean> {
  const promote = l10n.t('Promote Version {0}', candidateVersion);
  const answer = await window.showWarningMessage(
    l10n.t(
      'Let version {0} take the place of version {1} at "{2}" now?',
      candidateVersion,
      stableVersion,
      endpoint,
    ),
    {
      modal: true,
      detail: l10n.t(
        'Version {0} answers all requests from now on, whatever the checks would still have found. Version {1} gets none.',
        candidateVersion,
        stableVersion,
      ),
    },
    promote,
  );
  return answer === promote;
}

function outcomeOf(decision: Decision, rollout: RolloutSummary): string {
  const { endpoint, candidateVersion, stableVersion, share } = rollout;
  switch (decision) {
    case 'promote':
      return l10n.t('Version {0} answers all requests to "{1}" now.', candidateVersion, endpoint);
    case 'rollBack':
      return l10n.t(
        'Rolled back: version {0} answers all requests to "{1}" again, and version {2} gets none.',
        stableVersion,
        endpoint,
        candidateVersion,
      );
    case 'pause':
      return l10n.t(
        'The rollout of version {0} at "{1}" is paused: it keeps {2}% of the requests.',
        candidateVersion,
        endpoint,
        Math.round(share * 1000) / 10,
      );
    case 'resume':
      return l10n.t('The rollout of version {0} at "{1}" goes on.', candidateVersion, endpoint);
  }
}
