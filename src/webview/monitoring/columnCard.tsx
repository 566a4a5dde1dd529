import * as l10n from '@vscode/l10n';
import { useRef } from 'preact/hooks';
import type { ColumnDrift } from '../../protocol/monitoring.ts';
import { Icon } from '../components/icon.tsx';
import { Legend } from '../components/legend.tsx';
import type { ChartHandle } from '../components/lineDrawing.ts';
import { formatCount, formatShare } from '../components/numbers.ts';
import { SavePictureButton } from '../components/savePictureButton.tsx';
import { Skeleton } from '../components/states.tsx';
import type { Theme } from '../components/theme.ts';
import { useSeen } from '../components/useSeen.ts';
import { beforeAndNow, columnVerdict, testName, testResult } from './driftWording.ts';
import { HistogramChart } from './histogramChart.tsx';

/** One column: its verdict in words beside the picture of how its values moved. */
export function ColumnCard(properties: {
  readonly endpoint: string;
  readonly column: ColumnDrift;
  readonly theme: Theme;
}) {
  const { endpoint, column, theme } = properties;
  const card = useRef<HTMLElement>(null);
  const chart = useRef<ChartHandle>(null);
  const seen = useSeen(card);
  return (
    <article
      ref={card}
      class={`card column-card${column.drifted ? ' drifted' : ''}`}
      aria-label={column.name}
    >
      <header class="card-header">
        <Icon name={column.drifted ? 'warning' : 'pass'} tone={column.drifted ? 'warning' : 'good'} />
        <h3 title={column.name}>{column.name}</h3>
        <div class="card-actions">
          <SavePictureButton chart={chart} name={`${endpoint}-${column.name}`} />
        </div>
      </header>
      <p class="column-verdict">{columnVerdict(column)}</p>
      {seen ? <HistogramChart column={column} theme={theme} handle={chart} /> : <Skeleton rows={3} tall />}
      <Legend
        entries={[
          { name: l10n.t('Reference'), look: 'reference' },
          { name: l10n.t('Current'), look: 'current' },
        ]}
      />
      <dl class="facts-list column-facts">
        <dt>{testName(column)}</dt>
        <dd>{testResult(column)}</dd>
        <dt>{l10n.t('Missing')}</dt>
        <dd>{beforeAndNow(formatShare(column.missing.reference), formatShare(column.missing.current))}</dd>
        <dt>{l10n.t('Values')}</dt>
        <dd>{beforeAndNow(formatCount(column.counts.reference), formatCount(column.counts.current))}</dd>
        {column.infinite.reference + column.infinite.current > 0 ? (
          <>
            <dt>{l10n.t('Infinite')}</dt>
            <dd>
              {beforeAndNow(formatCount(column.infinite.reference), formatCount(column.infinite.current))}
            </dd>
          </>
        ) : null}
      </dl>
    </article>
  );
}
