import { l10n, ThemeIcon } from 'vscode';
import type { ModelVersionSummary, RegisteredModelSummary } from '../../protocol/registry.ts';
import type { EndpointSummary } from '../../protocol/serving.ts';
import { views } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { ErrorReporter } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { tooltipOf } from '../views/tooltips.ts';
import { createLiveTree, type LiveTree } from '../views/tree.ts';
import { createNode, type TreeNode } from '../views/treeNode.ts';
import { endpointServing, stageIcon, versionDescription, versionTooltip } from './versionDescription.ts';

export interface ModelsTreeOptions {
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
  readonly formats: Formats;
}

/** Registered models and their versions, newest first. */
export function createModelsTree({ folders, errors, formats }: ModelsTreeOptions): LiveTree {
  const modelNode = (client: EngineClient, model: RegisteredModelSummary, newest: boolean): TreeNode =>
    createNode(
      client,
      `model/${model.name}`,
      {
        label: model.name,
        kind: 'model',
        description: modelDescription(model, formats),
        tooltip: tooltipOf(model.name, [
          [l10n.t('Versions'), formats.count(model.versionCount)],
          [
            l10n.t('In production'),
            model.productionVersion === null ? l10n.t('none') : `v${model.productionVersion}`,
          ],
          [l10n.t('Last updated'), formats.moment(model.lastUpdated)],
        ]),
        iconPath: new ThemeIcon('package'),
      },
      { model: model.name },
      async () => {
        const [versions, endpoints] = await Promise.all([
          client.request('registry/versions', { name: model.name }),
          client.request('serving/endpoints', {}),
        ]);
        return versions.map((version) => versionNode(client, version, endpointServing(version, endpoints)));
      },
      newest,
    );

  const versionNode = (
    client: EngineClient,
    version: ModelVersionSummary,
    served: EndpointSummary | undefined,
  ): TreeNode =>
    createNode(
      client,
      `model/${version.name}/${version.version}`,
      {
        label: `v${version.version}`,
        kind: version.runId === null ? 'version' : 'versionWithRun',
        description: versionDescription(version, served !== undefined, formats),
        accessibilityInformation: {
          label: [
            `v${version.version}`,
            served ? l10n.t('served') : '',
            versionDescription(version, false, formats),
          ].join(' '),
        },
        tooltip: versionTooltip(version, served, formats),
        iconPath: stageIcon(version.stage),
      },
      {
        model: version.name,
        version: version.version,
        ...(version.runId === null ? {} : { runId: version.runId }),
      },
    );

  return createLiveTree({
    view: views.models,
    folders,
    errors,
    async roots(client) {
      const models = await client.request('registry/models', {});
      const newest = Math.max(...models.map(({ lastUpdated }) => lastUpdated));
      return models.map((model) => modelNode(client, model, model.lastUpdated === newest));
    },
  });
}

function modelDescription(model: RegisteredModelSummary, formats: Formats): string {
  const count =
    model.versionCount === 1
      ? l10n.t('1 version')
      : l10n.t('{0} versions', formats.count(model.versionCount));
  return model.productionVersion === null
    ? count
    : `${count} · ${l10n.t('v{0} in production', model.productionVersion)}`;
}
