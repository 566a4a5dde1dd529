import { l10n, type MarkdownString, ThemeColor, ThemeIcon } from 'vscode';
import type { EndpointSummary, VariantSummary } from '../../protocol/serving.ts';
import { isReplaced, variantRole } from '../../protocol/variantRole.ts';
import { versionColors } from '../../protocol/versionColors.ts';
import type { Formats } from '../views/formats.ts';
import { type TooltipRow, tooltipOf } from '../views/tooltips.ts';
import { errorsText, latencyRow } from './endpointDescription.ts';

/** How the variants of an endpoint read: one version each, with its share of the traffic. */

/** The version, and the model where the endpoint has several. */
export function variantLabel({ model, version }: VariantSummary, endpoint: EndpointSummary): string {
  return model === endpoint.modelName ? `v${version}` : `${model} v${version}`;
}

/** Such as "5% · candidate · 1.84 / 6.2 ms · 2 errors". */
export function variantDescription(
  variant: VariantSummary,
  endpoint: EndpointSummary,
  formats: Formats,
): string {
  const { share, latencyP50, latencyP99, errorCount } = variant;
  return [
    share === null || isReplaced(variant, endpoint) ? null : formats.share(share),
    variantRole(variant, endpoint, l10n),
    latencyP50 === null || latencyP99 === null
      ? null
      : `p50 ${formats.latency(latencyP50)} · p99 ${formats.latency(latencyP99)}`,
    errorCount === 0 ? null : errorsText(errorCount, formats),
  ]
    .filter((part) => part !== null)
    .join(' · ');
}

/** The colour that the version has everywhere. */
export function variantIcon({ name, version }: VariantSummary): ThemeIcon {
  const color = new ThemeColor(versionColors[(version - 1) % versionColors.length] ?? 'foreground');
  return new ThemeIcon(name === 'shadow' ? 'circle-large-outline' : 'circle-large-filled', color);
}

export function variantTooltip(
  variant: VariantSummary,
  endpoint: EndpointSummary,
  formats: Formats,
): MarkdownString {
  const { share, latencyP50, latencyP99 } = variant;
  const rows: TooltipRow[] = [
    [l10n.t('Role'), variantRole(variant, endpoint, l10n)],
    [l10n.t('Requests'), `${formats.count(variant.requestCount)} · ${formats.rate(variant.rate)}`],
    [l10n.t('Errors'), formats.count(variant.errorCount)],
  ];
  if (share !== null) rows.unshift([l10n.t('Share of the traffic'), formats.share(share)]);
  if (latencyP50 !== null && latencyP99 !== null) rows.push(latencyRow(latencyP50, latencyP99, formats));
  return tooltipOf(variantLabel(variant, endpoint), rows);
}
