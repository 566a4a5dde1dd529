import * as l10n from '@vscode/l10n';
import type { ColumnDrift, DriftReport } from '../../protocol/monitoring.ts';
import { formatCount, formatNumber, formatPValue, formatShare } from '../components/numbers.ts';

/** The verdict over a whole report, such as "3 of 7 columns drifted". */
export function verdictOf(report: DriftReport): string {
  const drifted = report.columns.filter((column) => column.drifted).length;
  const total = report.columns.length;
  if (drifted === 0) {
    return total === 1
      ? l10n.t('The one column did not drift')
      : l10n.t('None of {total} columns drifted', { total: formatCount(total) });
  }
  if (total === 1) return l10n.t('The one column drifted');
  return drifted === 1
    ? l10n.t('1 of {total} columns drifted', { total: formatCount(total) })
    : l10n.t('{drifted} of {total} columns drifted', {
        drifted: formatCount(drifted),
        total: formatCount(total),
      });
}

/** The verdict over a column with its reason, such as "Drifted: PSI 0.31, limit 0.12 at this sample size". */
export function columnVerdict(column: ColumnDrift): string {
  const { driftedIn, missing } = column;
  const values = { psi: formatNumber(column.psi), limit: formatNumber(column.psiLimit) };
  const shares = { before: formatShare(missing.reference), now: formatShare(missing.current) };
  const inValues = driftedIn.includes('values');
  if (inValues && driftedIn.includes('missing')) {
    return l10n.t(
      'Drifted: PSI {psi}, limit {limit} at this sample size; missing values went from {before} to {now}',
      { ...values, ...shares },
    );
  }
  if (inValues) return l10n.t('Drifted: PSI {psi}, limit {limit} at this sample size', values);
  if (column.drifted) return l10n.t('Drifted: missing values went from {before} to {now}', shares);
  if (column.psi >= column.psiLimit) {
    return l10n.t(
      'Not drifted: PSI {psi} is over its limit {limit}, but the test finds no clear difference',
      values,
    );
  }
  return l10n.t('Not drifted: PSI {psi}, limit {limit} at this sample size', values);
}

/** The name of a column's test. */
export function testName({ test }: ColumnDrift): string {
  return test.name === 'kolmogorovSmirnov' ? l10n.t('Kolmogorov-Smirnov') : l10n.t('Chi-square');
}

/** A column's test with its statistic and p-value, such as "D = 0.2134, p < 0.001". */
export function testResult({ test }: ColumnDrift): string {
  const symbol = test.name === 'kolmogorovSmirnov' ? 'D' : 'χ²';
  return `${symbol} = ${formatNumber(test.statistic)}, ${formatPValue(test.pValue)}`;
}

/** A figure before and now, such as "1.2% → 3.4%". */
export function beforeAndNow(reference: string, current: string): string {
  return reference === current ? current : `${reference} → ${current}`;
}

/** How a histogram's bins are named. The first and the last bin of numbers also hold what lies beyond them. */
export function binNames({ histogram }: ColumnDrift): readonly string[] {
  if (histogram.kind === 'categorical') {
    const { levels, hasOther } = histogram;
    return hasOther ? [...levels.slice(0, -1), l10n.t('(all others)')] : levels;
  }
  const { edges } = histogram;
  const last = edges.length - 2;
  return edges.slice(1).map((upper, bin) => {
    const lower = edges[bin] ?? Number.NEGATIVE_INFINITY;
    if (last > 0 && bin === 0) return l10n.t('up to {edge}', { edge: formatNumber(upper) });
    if (last > 0 && bin === last) return l10n.t('from {edge}', { edge: formatNumber(lower) });
    return l10n.t('{from} to {to}', { from: formatNumber(lower), to: formatNumber(upper) });
  });
}

/** All columns as rows of cells, the first with their titles; numbers are unrounded, so that they can be computed with. */
export function reportRows(report: DriftReport): readonly (readonly string[])[] {
  const titles = [
    l10n.t('Column'),
    l10n.t('Drifted'),
    'PSI',
    l10n.t('PSI limit'),
    l10n.t('Test'),
    l10n.t('Statistic'),
    l10n.t('p-value'),
    l10n.t('Missing, reference'),
    l10n.t('Missing, current'),
    l10n.t('Values, reference'),
    l10n.t('Values, current'),
    l10n.t('Infinite, reference'),
    l10n.t('Infinite, current'),
  ];
  return [
    titles,
    ...report.columns.map((column) => [
      column.name,
      column.drifted ? l10n.t('yes') : l10n.t('no'),
      String(column.psi),
      String(column.psiLimit),
      testName(column),
      String(column.test.statistic),
      String(column.test.pValue),
      String(column.missing.reference),
      String(column.missing.current),
      String(column.counts.reference),
      String(column.counts.current),
      String(column.infinite.reference),
      String(column.infinite.current),
    ]),
  ];
}

/** What a histogram shows, in words. */
export function describeHistogram(column: ColumnDrift): string {
  const { reference, current } = column.histogram;
  const shares = binNames(column).map((bin, index) =>
    l10n.t('{bin}: reference {reference}, current {current}', {
      bin,
      reference: formatShare(reference[index] ?? 0),
      current: formatShare(current[index] ?? 0),
    }),
  );
  return `${column.name}. ${shares.join('; ')}`;
}
