import { l10n, type MarkdownString, ThemeColor, ThemeIcon } from 'vscode';
import type { ModelVersionSummary, Stage } from '../../protocol/registry.ts';
import type { EndpointSummary } from '../../protocol/serving.ts';
import { metricText } from '../tracking/runDescription.ts';
import type { Formats } from '../views/formats.ts';
import { tooltipOf } from '../views/tooltips.ts';

/** How model versions read in trees and quick picks alike. */

export function stageText(stage: Stage): string {
  switch (stage) {
    case 'None':
      return l10n.t('No stage');
    case 'Staging':
      return l10n.t('Staging');
    case 'Production':
      return l10n.t('Production');
    case 'Archived':
      return l10n.t('Archived');
  }
}

export function stageIcon(stage: Stage): ThemeIcon {
  switch (stage) {
    case 'None':
      return new ThemeIcon('circle-outline');
    case 'Staging':
      return new ThemeIcon('beaker', new ThemeColor('charts.yellow'));
    case 'Production':
      return new ThemeIcon('rocket', new ThemeColor('charts.green'));
    case 'Archived':
      return new ThemeIcon('archive', new ThemeColor('disabledForeground'));
  }
}

/** The ready endpoint that serves exactly this version, if any. */
export function endpointServing(
  version: ModelVersionSummary,
  endpoints: readonly EndpointSummary[],
): EndpointSummary | undefined {
  return endpoints.find(
    ({ modelName, modelVersion, state }) =>
      modelName === version.name && modelVersion === version.version && state === 'ready',
  );
}

/** Such as "Production · @champion · 0.93 accuracy"; a served version has a dot before it. */
export function versionDescription(version: ModelVersionSummary, served: boolean, formats: Formats): string {
  const facts = [
    version.stage === 'None' ? null : stageText(version.stage),
    ...version.aliases.map((alias) => `@${alias}`),
    metricText(version.mainMetric, formats),
  ];
  const text = facts.filter((fact) => fact !== null).join(' · ');
  return served ? `● ${text}` : text;
}

export function versionTooltip(
  version: ModelVersionSummary,
  served: EndpointSummary | undefined,
  formats: Formats,
): MarkdownString {
  return tooltipOf(`${version.name} v${version.version}`, [
    [l10n.t('Stage'), stageText(version.stage)],
    [l10n.t('Aliases'), version.aliases.join(', ') || l10n.t('none')],
    [l10n.t('Main metric'), metricText(version.mainMetric, formats) ?? l10n.t('none')],
    [l10n.t('Run'), version.runName ?? version.runId ?? l10n.t('none')],
    [l10n.t('Flavors'), version.flavors.join(', ') || l10n.t('none')],
    [l10n.t('Registered'), formats.moment(version.createdAt)],
    [l10n.t('Served at'), served?.url ?? l10n.t('not served')],
  ]);
}
