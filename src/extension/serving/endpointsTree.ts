import type { EndpointState, EndpointSummary } from '../../protocol/serving.ts';
import { type ViewItem, views } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { ErrorReporter } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { createLiveTree, type LiveTree } from '../views/tree.ts';
import { createNode, type TreeNode } from '../views/treeNode.ts';
import { endpointDescription, endpointTooltip, stateIcon } from './endpointDescription.ts';

export interface EndpointsTreeOptions {
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
  readonly formats: Formats;
}

const kinds = {
  starting: 'endpointStarting',
  ready: 'endpointReady',
  stopped: 'endpointStopped',
  failed: 'endpointFailed',
} as const satisfies Record<EndpointState, ViewItem>;

/** Endpoints by name, running or not. */
export function createEndpointsTree({ folders, errors, formats }: EndpointsTreeOptions): LiveTree {
  const endpointNode = (client: EngineClient, endpoint: EndpointSummary): TreeNode =>
    createNode(
      client,
      `endpoint/${endpoint.name}`,
      {
        label: endpoint.name,
        kind: kinds[endpoint.state],
        description: endpointDescription(endpoint, formats),
        tooltip: endpointTooltip(endpoint, formats),
        iconPath: stateIcon(endpoint.state),
      },
      { endpoint: endpoint.name, model: endpoint.modelName, version: endpoint.modelVersion },
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
