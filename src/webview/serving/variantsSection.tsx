import * as l10n from '@vscode/l10n';
import type { EndpointSummary } from '../../protocol/serving.ts';
import { shownVariants, variantRole } from '../../protocol/variantRole.ts';
import { formatCount, formatLatency, formatRate, formatShare } from '../components/numbers.ts';
import { Section } from '../components/section.tsx';
import type { Theme } from '../components/theme.ts';
import { CopyTable, FigureTable } from './figureTable.tsx';
import { versionColor, versionName } from './versionColors.ts';

/** The versions that answer, each with its share and what it was asked. */
export function VariantsSection(properties: { readonly endpoint: EndpointSummary; readonly theme: Theme }) {
  const { endpoint, theme } = properties;
  const title = l10n.t('Versions');
  const latency = (value: number | null) => (value === null ? '–' : formatLatency(value));
  const table = {
    columns: [
      { name: l10n.t('Version') },
      { name: l10n.t('Role') },
      { name: l10n.t('Share'), figure: true },
      { name: l10n.t('Rate'), figure: true },
      { name: l10n.t('Requests'), figure: true },
      { name: l10n.t('Errors'), figure: true },
      { name: 'p50', figure: true },
      { name: 'p99', figure: true },
    ],
    rows: shownVariants(endpoint).map((variant) => ({
      key: `${variant.name}/${variant.model}/${variant.version}`,
      cells: [
        versionName(variant, endpoint.modelName),
        variantRole(variant, endpoint, l10n),
        variant.share === null ? '–' : formatShare(variant.share),
        formatRate(variant.rate),
        formatCount(variant.requestCount),
        formatCount(variant.errorCount),
        latency(variant.latencyP50),
        latency(variant.latencyP99),
      ],
      icon: <span class="version-dot" style={{ background: versionColor(theme, variant.version) }} />,
    })),
  };
  return (
    <Section title={title} actions={<CopyTable title={title} table={table} />}>
      <FigureTable {...table} />
    </Section>
  );
}
