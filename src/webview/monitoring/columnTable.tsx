import * as l10n from '@vscode/l10n';
import type { DriftReport } from '../../protocol/monitoring.ts';
import { Icon } from '../components/icon.tsx';
import { formatCount, formatNumber, formatPValue, formatShare } from '../components/numbers.ts';
import { beforeAndNow, testName } from './driftWording.ts';

/** All columns with their figures, one a row. */
export function ColumnTable({ report }: { readonly report: DriftReport }) {
  return (
    <div class="table-scroll">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">{l10n.t('Column')}</th>
            <th scope="col">{l10n.t('Verdict')}</th>
            <th scope="col" class="figure">
              PSI
            </th>
            <th scope="col" class="figure">
              {l10n.t('PSI limit')}
            </th>
            <th scope="col">{l10n.t('Test')}</th>
            <th scope="col" class="figure">
              {l10n.t('Statistic')}
            </th>
            <th scope="col" class="figure">
              {l10n.t('p-value')}
            </th>
            <th scope="col" class="figure">
              {l10n.t('Missing')}
            </th>
            <th scope="col" class="figure">
              {l10n.t('Values')}
            </th>
          </tr>
        </thead>
        <tbody>
          {report.columns.map((column) => (
            <tr key={column.name}>
              <th scope="row">{column.name}</th>
              <td>
                <span class="verdict-cell">
                  <Icon
                    name={column.drifted ? 'warning' : 'pass'}
                    tone={column.drifted ? 'warning' : 'good'}
                  />
                  {column.drifted ? l10n.t('Drifted') : l10n.t('Not drifted')}
                </span>
              </td>
              <td class="figure">{formatNumber(column.psi)}</td>
              <td class="figure">{formatNumber(column.psiLimit)}</td>
              <td>{testName(column)}</td>
              <td class="figure">{formatNumber(column.test.statistic)}</td>
              <td class="figure">{formatPValue(column.test.pValue).replace(/^p (= )?/, '')}</td>
              <td class="figure">
                {beforeAndNow(formatShare(column.missing.reference), formatShare(column.missing.current))}
              </td>
              <td class="figure">
                {beforeAndNow(formatCount(column.counts.reference), formatCount(column.counts.current))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
