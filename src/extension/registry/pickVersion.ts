import { l10n } from 'vscode';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ModelVersionSummary, Stage } from '../../protocol/registry.ts';
import type { ModelTarget } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { Formats } from '../views/formats.ts';
import { choose } from '../views/quickPick.ts';
import { endpointServing, stageIcon, versionDescription } from './versionDescription.ts';

/** A model version and the folder that it lives in. */
export interface ChosenVersion {
  readonly folder: string;
  readonly version: ModelVersionSummary;
}

/** Which versions are the likeliest in a question: those of these stages first, in this order. */
export type StageOrder = readonly Stage[];

/** Which versions are offered, and what is said when there is none of them. */
export interface VersionRestriction {
  readonly suits: (version: ModelVersionSummary) => boolean;
  readonly none: string;
}

/**
 * The version that a target names, or the one that the person chooses: of the target's model, or of all models.
 *
 * @throws SlipwayError notFound when the named version does not exist.
 */
export async function pickVersion(
  folders: EngineFolders,
  formats: Formats,
  title: string,
  order: StageOrder,
  target?: ModelTarget,
  restriction?: VersionRestriction,
): Promise<ChosenVersion | undefined> {
  if (target?.version !== undefined) {
    const params = { name: target.model, version: target.version };
    const version = await folders.of(target.folder).request('registry/version', params);
    return { folder: target.folder, version };
  }
  const clients = target ? [folders.of(target.folder)] : await folders.needed();
  const found = await Promise.all(
    clients.map(async (client) => {
      const names = target ? [target.model] : await modelNames(client);
      const [lists, endpoints] = await Promise.all([
        Promise.all(names.map((name) => client.request('registry/versions', { name }))),
        client.request('serving/endpoints', {}),
      ]);
      const offered = restriction ? lists.flat().filter(restriction.suits) : lists.flat();
      return offered.map((version) => {
        const served = endpointServing(version, endpoints) !== undefined;
        return {
          label: `${version.name} v${version.version}`,
          description: versionDescription(version, served, formats),
          detail: [version.runName, formats.age(version.createdAt)]
            .filter((part) => part !== null)
            .join(' · '),
          iconPath: stageIcon(version.stage),
          value: { folder: client.id, version },
        };
      });
    }),
  );
  return choose({
    title,
    placeholder: l10n.t('The likeliest first'),
    choices: found
      .flat()
      .sort(
        (one, other) =>
          rank(one.value.version, order) - rank(other.value.version, order) ||
          other.value.version.createdAt - one.value.version.createdAt,
      ),
    none: restriction?.none ?? l10n.t('No model is registered yet. Register the model of a run first.'),
  });
}

/** The version of a model that is in production, or null. */
export function productionVersion(versions: readonly ModelVersionSummary[]): ModelVersionSummary | null {
  return versions.find(({ stage }) => stage === 'Production') ?? null;
}

async function modelNames(client: EngineClient): Promise<readonly string[]> {
  const models = await client.request('registry/models', {});
  return models.map(({ name }) => name);
}

function rank(version: ModelVersionSummary, order: StageOrder): number {
  const place = order.indexOf(version.stage);
  if (place === -1) throw new SlipwayError('internal', { detail: `no rank for stage ${version.stage}` });
  return place;
}
