import assert from 'node:assert/strict';
import type { ColumnDrift, DriftReport } from '../../../src/protocol/monitoring.ts';
import { configureLanguage } from '../../../src/webview/components/localization.ts';
import { tabSeparated } from '../../../src/webview/components/tabSeparated.ts';
import {
  binNames,
  columnVerdict,
  reportRows,
  verdictOf,
} from '../../../src/webview/monitoring/driftWording.ts';

const column: ColumnDrift = {
  name: 'age',
  driftedIn: [],
  drifted: false,
  psi: 0.02,
  psiLimit: 0.12,
  test: { name: 'kolmogorovSmirnov', statistic: 0.1, pValue: 0.4 },
  histogram: { kind: 'numeric', edges: [0, 1, 2, 3], reference: [0.2, 0.3, 0.5], current: [0.2, 0.3, 0.5] },
  missing: { reference: 0, current: 0.25 },
  counts: { reference: 10, current: 10 },
  infinite: { reference: 0, current: 0 },
};

function reportOf(...columns: readonly ColumnDrift[]): DriftReport {
  return {
    endpoint: 'churn',
    referenceLabel: 'train.csv',
    referenceRows: 10,
    currentRows: 10,
    from: 0,
    to: 1,
    significance: 0.001,
    columns,
    referenceOnly: [],
    currentOnly: [],
  };
}

const drifted: ColumnDrift = { ...column, psi: 0.31, drifted: true, driftedIn: ['values'] };

describe('the words about drift', () => {
  beforeEach(() => configureLanguage('en', '{}'));

  it('give the verdict over all columns', () => {
    assert.equal(verdictOf(reportOf(column, column)), 'None of 2 columns drifted');
    assert.equal(verdictOf(reportOf(drifted, column)), '1 of 2 columns drifted');
    assert.equal(verdictOf(reportOf(drifted, drifted, column)), '2 of 3 columns drifted');
    assert.equal(verdictOf(reportOf(drifted)), 'The one column drifted');
    assert.equal(verdictOf(reportOf(column)), 'The one column did not drift');
  });

  it('give the verdict over a column with its reason', () => {
    assert.equal(columnVerdict(column), 'Not drifted: PSI 0.02, limit 0.12 at this sample size');
    assert.equal(columnVerdict(drifted), 'Drifted: PSI 0.31, limit 0.12 at this sample size');
    assert.equal(
      columnVerdict({ ...column, drifted: true, driftedIn: ['missing'] }),
      'Drifted: missing values went from 0% to 25%',
    );
    assert.match(
      columnVerdict({ ...drifted, driftedIn: ['values', 'missing'] }),
      /PSI 0\.31.*missing values/,
    );
    assert.match(columnVerdict({ ...column, psi: 0.2 }), /^Not drifted: PSI 0\.2 is over its limit 0\.12/);
  });

  it('name the bins, the outermost as open', () => {
    assert.deepEqual(binNames(column), ['up to 1', '1 to 2', 'from 2']);
    const histogram = {
      kind: 'categorical',
      levels: ['a', 'other'],
      reference: [1, 0],
      current: [0, 1],
    } as const;
    assert.deepEqual(binNames({ ...column, histogram: { ...histogram, hasOther: true } }), [
      'a',
      '(all others)',
    ]);
    assert.deepEqual(binNames({ ...column, histogram: { ...histogram, hasOther: false } }), ['a', 'other']);
  });

  it('copy every column as a row of as many cells as there are titles, one line each', () => {
    const rows = reportRows(reportOf({ ...column, name: 'two\nlines\tand a tab' }, drifted));
    const lines = tabSeparated(rows).split('\n');
    assert.equal(lines.length, 3);
    for (const line of lines) assert.equal(line.split('\t').length, rows[0]?.length);
    assert.match(lines[1] ?? '', /^two lines and a tab\tno\t0\.02\t/);
  });
});
