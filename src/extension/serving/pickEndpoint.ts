import { l10n } from 'vscode';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import { type EndpointState, type EndpointSummary, endpointStates } from '../../protocol/serving.ts';
import type { EndpointTarget } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { Formats } from '../views/formats.ts';
import { choose } from '../views/quickPick.ts';
import { endpointDescription, endpointIcon } from './endpointDescription.ts';

/** An endpoint, with the engine of its folder. */
export interface ChosenEndpoint extends EndpointTarget {
  readonly client: EngineClient;
}

/**
 * The endpoint that a command was called for, or else the one that the person chooses among those in the given states.
 *
 * @throws SlipwayError noWorkspaceFolder when its folder is not open any more.
 */
export async function chooseEndpoint(
  folders: EngineFolders,
  formats: Formats,
  target: EndpointTarget | undefined,
  states: readonly EndpointState[] = endpointStates,
): Promise<ChosenEndpoint | undefined> {
  const chosen = target ?? (await pickEndpoint(folders, formats, states));
  return chosen && { ...chosen, client: folders.of(chosen.folder) };
}

/** How a chosen endpoint is now. @throws SlipwayError `notFound` when it is gone. */
export async function summaryOf({ client, endpoint }: ChosenEndpoint): Promise<EndpointSummary> {
  const endpoints = await client.request('serving/endpoints', {});
  const summary = endpoints.find(({ name }) => name === endpoint);
  if (!summary) throw new SlipwayError('notFound', { detail: detail('noEndpoint', { endpoint }) });
  return summary;
}

/** Asks for an endpoint in one of the given states, the ready and busiest first. A single one is not asked for. */
async function pickEndpoint(
  folders: EngineFolders,
  formats: Formats,
  states: readonly EndpointState[],
): Promise<EndpointTarget | undefined> {
  const found = await Promise.all(
    (await folders.needed()).map(async (client) => {
      const endpoints = await client.request('serving/endpoints', {});
      return endpoints.map((endpoint) => ({ folder: client.id, endpoint }));
    }),
  );
  const choices = found
    .flat()
    .filter(({ endpoint }) => states.includes(endpoint.state))
    .sort(
      (one, other) =>
        Number(other.endpoint.state === 'ready') - Number(one.endpoint.state === 'ready') ||
        other.endpoint.requestCount - one.endpoint.requestCount,
    )
    .map(({ folder, endpoint }) => ({
      label: endpoint.name,
      description: endpointDescription(endpoint, formats),
      iconPath: endpointIcon(endpoint),
      value: { folder, endpoint: endpoint.name },
    }));
  const [only, ...others] = choices;
  if (only && others.length === 0) return only.value;
  return choose({
    title: l10n.t('Choose an endpoint'),
    placeholder: l10n.t('Ready ones first'),
    choices,
    none: states.includes('stopped')
      ? l10n.t('There are no endpoints yet. Start one for a registered model.')
      : l10n.t('No endpoint is running. Start one for a registered model.'),
  });
}
