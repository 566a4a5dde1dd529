import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ModelVersionSummary } from '../../protocol/registry.ts';
import type { RegistryService } from '../registry/service.ts';

/**
 * Finds the version that a person names: `wine/3` by its number, `wine/Staging` by its stage, `wine@champion` by an
 * alias, `wine@latest` the newest one, and `wine` the one in Production, or else the newest one.
 *
 * @throws SlipwayError `notFound`; the sentence says which ones there are.
 */
export function namedVersion(
  registry: Pick<RegistryService, 'models' | 'versions'>,
  name: string,
): ModelVersionSummary {
  const { model, choice } = readName(registry, name);
  const versions = registry.versions(model);
  const found = versions.find(choice) ?? (name === model ? versions[0] : undefined);
  if (found) return found;
  const known = versions.map(({ version, stage, aliases }) => {
    const labels = [...(stage === 'None' ? [] : [stage]), ...aliases.map((alias) => `@${alias}`)];
    return labels.length === 0 ? String(version) : `${version} (${labels.join(', ')})`;
  });
  const missing =
    known.length === 0
      ? detail('noVersionAtAll', { name, model })
      : detail('noVersionAmong', { name, model, versions: known });
  throw new SlipwayError('notFound', { detail: missing });
}

type Choice = (version: ModelVersionSummary) => boolean;

function readName(
  registry: Pick<RegistryService, 'models'>,
  name: string,
): { readonly model: string; readonly choice: Choice } {
  const models = registry.models().map((model) => model.name);
  if (models.includes(name)) return { model: name, choice: ({ stage }) => stage === 'Production' };
  const [, model, mark, rest = ''] = /^(.+)([/@])([^/@]+)$/s.exec(name) ?? [];
  if (model === undefined || !models.includes(model)) {
    const asked = model ?? name;
    const missing =
      models.length === 0
        ? detail('noModelAtAll', { model: asked })
        : detail('noModelAmong', { model: asked, models });
    throw new SlipwayError('notFound', { detail: missing });
  }
  if (mark === '@') {
    const newest = rest.toLowerCase() === 'latest';
    return { model, choice: ({ aliases }) => newest || aliases.includes(rest) };
  }
  if (/^\d+$/.test(rest)) return { model, choice: ({ version }) => version === Number(rest) };
  return { model, choice: ({ stage }) => stage.toLowerCase() === rest.toLowerCase() };
}
