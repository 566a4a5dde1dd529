import * as l10n from '@vscode/l10n';
import type { ShadowStatistics } from '../../protocol/scorer.ts';
import { Icon } from '../components/icon.tsx';
import { formatCount, formatNumber, formatShare } from '../components/numbers.ts';
import { Section } from '../components/section.tsx';
import { CopyTable, FigureTable } from './figureTable.tsx';

/** How the predictions of versions that only hear the requests compare to those that clients got. */
export function ShadowSection({ shadows }: { readonly shadows: readonly ShadowStatistics[] }) {
  return (
    <>
      {shadows.map((shadow) => (
        <Shadow key={`${shadow.model}/${shadow.stableVersion}/${shadow.shadowVersion}`} shadow={shadow} />
      ))}
    </>
  );
}

function Shadow({ shadow }: { readonly shadow: ShadowStatistics }) {
  const { comparedRows, equalRows, outputs, failedRequests, skippedRequests } = shadow;
  const versions = { shadow: shadow.shadowVersion, stable: shadow.stableVersion };
  const title = l10n.t('Shadow: predictions of version {shadow} against version {stable}', versions);
  const table = {
    columns: [
      { name: l10n.t('Output') },
      { name: l10n.t('Rows that agree'), figure: true },
      { name: l10n.t('Mean difference'), figure: true },
      { name: l10n.t('Largest difference'), figure: true },
    ],
    rows: outputs.map((output) => ({
      key: output.name,
      cells: [
        output.name,
        output.equalRows === null
          ? '–'
          : `${formatCount(output.equalRows)} (${formatShare(shareOf(output.equalRows, comparedRows))})`,
        output.meanAbsoluteDifference === null ? '–' : formatNumber(output.meanAbsoluteDifference),
        output.largestAbsoluteDifference === null ? '–' : formatNumber(output.largestAbsoluteDifference),
      ],
    })),
  };
  return (
    <Section title={title} actions={<CopyTable title={title} table={table} />}>
      <p class="verdict-line">
        {comparedRows === 0 ? (
          l10n.t('Nothing was compared yet: the shadow answers when the next request comes.')
        ) : (
          <>
            <Icon
              name={equalRows === comparedRows ? 'pass' : 'info'}
              tone={equalRows === comparedRows ? 'good' : undefined}
            />
            {l10n.t('They agree on {share} of {rows} rows.', {
              share: formatShare(shareOf(equalRows, comparedRows)),
              rows: formatCount(comparedRows),
            })}
          </>
        )}
      </p>
      {outputs.length > 0 ? <FigureTable {...table} /> : null}
      {failedRequests + skippedRequests > 0 ? (
        <p class="card-note">
          <Icon name="warning" tone="warning" />
          {l10n.t(
            'Not compared: {failed} that the shadow could not answer, {skipped} that it was too busy for.',
            {
              failed: formatCount(failedRequests),
              skipped: formatCount(skippedRequests),
            },
          )}
        </p>
      ) : null}
    </Section>
  );
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
