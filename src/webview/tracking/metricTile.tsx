import * as l10n from '@vscode/l10n';
import type { MetricSummary } from '../../protocol/tracking.ts';
import { Icon } from '../components/icon.tsx';
import { formatNumber } from '../components/numbers.ts';

/** A metric of one value as a number. */
export function MetricTile({ metric, isMain }: { readonly metric: MetricSummary; readonly isMain: boolean }) {
  return (
    <div class="tile">
      <span class="tile-name" title={metric.key}>
        {metric.key}
        {isMain ? <MainMark /> : null}
      </span>
      <span class="tile-value" title={String(metric.value)}>
        {formatNumber(metric.value)}
      </span>
    </div>
  );
}

/** Marks the metric by which the experiment's runs are judged. */
export function MainMark() {
  return (
    <span class="main-mark" title={l10n.t('Main metric of the experiment')}>
      <Icon name="star-full" />
      <span class="visually-hidden">{l10n.t('Main metric of the experiment')}</span>
    </span>
  );
}
