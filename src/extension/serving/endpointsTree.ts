import { l10n } from 'vscode';
import type { EndpointSummary, VariantSummary } from '../../protocol/serving.ts';
import { shownVariants } from '../../protocol/variantRole.ts';
import { type CommandId, views } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { ErrorReporter } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { createLiveTree, type LiveTree } from '../views/tree.ts';
import { createNode, type TreeNode } from '../views/treeNode.ts';
import { endpointDescription, endpointIcon, endpointKind, endpointTooltip } from './endpointDescription.ts';
import { variantDescription, variantIcon, variantLabel, variantTooltip } from './variantDescription.ts';

export interface EndpointsTreeOptions {
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
  readonly formats: Formats;
}

/** Endpoints by name, running or not, and below each the versions that answer there. */
export function createEndpointsTree({ folders, errors, formats }: EndpointsTreeOptions): LiveTree {
  const openPage = (client: EngineClient, endpoint: EndpointSummary) => ({
    title: l10n.t('Open Endpoint'),
    command: 'slipway.openEndpoint' satisfies CommandId,
    arguments: [{ folder: client.id, endpoint: endpoint.name }],
  });

  const endpointNode = (client: EngineClient, endpoint: EndpointSummary): TreeNode =>
    createNode(
      client,
      `endpoint/${endpoint.name}`,
      {
        label: endpoint.name,
        kind: endpointKind(endpoint),
        description: endpointDescription(endpoint, formats),
        tooltip: endpointTooltip(endpoint, formats),
        iconPath: endpointIcon(endpoint),
        command: openPage(client, endpoint),
      },
      { endpoint: endpoint.name, model: endpoint.modelName, version: endpoint.modelVersion },
      endpoint.variants.length === 0 ? null : () => variantNodes(client, endpoint.name),
      endpoint.rollout !== null,
    );

  const variantNodes = async (client: EngineClient, name: string): Promise<readonly TreeNode[]> => {
    const endpoint = (await client.request('serving/endpoints', {})).find((one) => one.name === name);
    return endpoint ? shownVariants(endpoint).map((variant) => variantNode(client, endpoint, variant)) : [];
  };

  const variantNode = (client: EngineClient, endpoint: EndpointSummary, variant: VariantSummary): TreeNode =>
    createNode(
      client,
      `endpoint/${endpoint.name}/${variant.name}/${variant.model}/${variant.version}`,
      {
        label: variantLabel(variant, endpoint),
        kind: 'variant',
        description: variantDescription(variant, endpoint, formats),
        tooltip: variantTooltip(variant, endpoint, formats),
        iconPath: variantIcon(variant),
        command: openPage(client, endpoint),
      },
      { endpoint: endpoint.name },
    );

  return createLiveTree({
    view: views.endpoints,
    folders,
    errors,
    async roots(client) {
      const endpoints = await client.request('serving/endpoints', {});
      return endpoints.map((endpoint) => endpointNode(client, endpoint));
    },
  });
}
