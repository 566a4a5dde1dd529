import * as l10n from '@vscode/l10n';
import type { DriftReport } from '../../protocol/monitoring.ts';
import { CopyButton } from '../components/copyButton.tsx';
import { Icon } from '../components/icon.tsx';
import { formatCount } from '../components/numbers.ts';
import { useViewState } from '../components/page.tsx';
import { tabSeparated } from '../components/tabSeparated.ts';
import { useTheme } from '../components/theme.ts';
import { formatRange } from '../components/times.ts';
import { ColumnCard } from './columnCard.tsx';
import { ColumnTable } from './columnTable.tsx';
import { reportRows, verdictOf } from './driftWording.ts';

/** What was found: the verdict in words, then each column as a card or as a row. */
export function DriftReportView({ report }: { readonly report: DriftReport }) {
  const [form, setForm] = useViewState<'cards' | 'table'>('form', 'cards', isForm);
  const theme = useTheme();
  const drifted = report.columns.some((column) => column.drifted);
  const switchTo = (chosen: 'cards' | 'table', label: string) => (
    <button type="button" class="text-switch" aria-pressed={form === chosen} onClick={() => setForm(chosen)}>
      {label}
    </button>
  );
  return (
    <section aria-label={l10n.t('Report')}>
      <header class="verdict">
        <div>
          <h2>
            <Icon name={drifted ? 'warning' : 'pass-filled'} tone={drifted ? 'warning' : 'good'} />
            {verdictOf(report)}
          </h2>
          <p class="facts">
            <span>
              {l10n.t('{rows} rows of {reference}', {
                rows: formatCount(report.referenceRows),
                reference: report.referenceLabel,
              })}
            </span>
            <span>
              {l10n.t('{rows} rows of requests, {range}', {
                rows: formatCount(report.currentRows),
                range: formatRange(report.from, report.to),
              })}
            </span>
          </p>
        </div>
        <div class="verdict-actions">
          {switchTo('cards', l10n.t('Cards'))}
          {switchTo('table', l10n.t('Table'))}
          <CopyButton label={l10n.t('Copy Table')} text={() => tabSeparated(reportRows(report))} />
        </div>
      </header>
      <OneSidedColumns report={report} />
      {form === 'cards' ? (
        <div class="cards">
          {report.columns.map((column) => (
            <ColumnCard key={column.name} endpoint={report.endpoint} column={column} theme={theme} />
          ))}
        </div>
      ) : (
        <ColumnTable report={report} />
      )}
    </section>
  );
}

/** Names the columns that could not be compared. */
function OneSidedColumns({ report }: { readonly report: DriftReport }) {
  const { referenceOnly, currentOnly } = report;
  if (referenceOnly.length + currentOnly.length === 0) return null;
  return (
    <p class="card-note one-sided">
      <Icon name="info" />
      <span>
        {referenceOnly.length > 0
          ? `${l10n.t('Only in the reference: {columns}.', { columns: referenceOnly.join(', ') })} `
          : ''}
        {currentOnly.length > 0
          ? l10n.t('Only in the requests: {columns}.', { columns: currentOnly.join(', ') })
          : ''}
      </span>
    </p>
  );
}

function isForm(kept: unknown): kept is 'cards' | 'table' {
  return kept === 'cards' || kept === 'table';
}
