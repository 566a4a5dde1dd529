import type { ColumnDrift, DriftReport, DriftSources } from '../../src/protocol/monitoring.ts';
import type { FakeHost } from './fakeHost.ts';

const hour = 3_600_000;

/** An endpoint with logged requests, as the engine would tell it. */
export interface DriftFixture extends FakeHost {
  sources: DriftSources;
  /** Replaces the answer to `monitoring/drift`. */
  compare: (params: object) => DriftReport | Promise<DriftReport>;
}

export function createDrift(): DriftFixture {
  const now = Date.now();
  const fixture: DriftFixture = {
    subject: { page: 'drift', folder: 'file:///work', endpoint: 'churn' },
    trusted: true,
    sources: {
      endpoint: 'churn',
      references: [
        { label: 'churn-train (training)', file: '/projects/churn/data/churn-train.parquet' },
        { label: 'churn-test (evaluation)', file: '/projects/churn/data/churn-test.parquet' },
      ],
      firstRequest: now - 26 * hour,
      lastRequest: now - 4 * 60_000,
      rowCount: 4_812,
    },
    compare: () => driftReport(now),
    answer({ method, params }) {
      if (method === 'monitoring/driftSources') return fixture.sources;
      if (method === 'monitoring/drift') return fixture.compare(params);
      throw new Error(`The drift page may not ask for ${method}.`);
    },
  };
  return fixture;
}

/** What the engine answers: three of seven columns drifted. */
export function driftReport(now = Date.now()): DriftReport {
  return {
    endpoint: 'churn',
    referenceLabel: 'churn-train.parquet',
    referenceRows: 48_210,
    currentRows: 4_812,
    from: now - 26 * hour,
    to: now,
    significance: 0.001,
    columns: [
      numeric('monthly_charges', 0.3123, true, 18, 120, 0.45, 0.62),
      categorical(
        'contract',
        0.1874,
        true,
        ['month-to-month', 'one year', 'two years', 'other'],
        [0.55, 0.21, 0.22, 0.02],
        [0.74, 0.14, 0.1, 0.02],
      ),
      numeric('support_calls', 0.0421, true, 0, 9, 0.3, 0.36),
      numeric('tenure', 0.0041, false, 0, 72, 0.5, 0.505),
      categorical(
        'payment_method',
        0.0023,
        false,
        ['electronic check', 'mailed check', 'bank transfer (automatic)', 'credit card (automatic)'],
        [0.34, 0.23, 0.22, 0.21],
        [0.33, 0.23, 0.23, 0.21],
      ),
      numeric('total_charges', 0.0017, false, 18, 8_700, 0.35, 0.352),
      numeric('age', 0.0009, false, 18, 92, 0.45, 0.45),
    ],
    referenceOnly: ['customer_id', 'churned'],
    currentOnly: ['channel'],
  };
}

function numeric(
  name: string,
  psi: number,
  drifted: boolean,
  low: number,
  high: number,
  before: number,
  after: number,
): ColumnDrift {
  const bins = 24;
  return {
    name,
    driftedIn: drifted ? ['values'] : [],
    drifted,
    psi,
    psiLimit: 0.0118,
    test: { name: 'kolmogorovSmirnov', statistic: Math.sqrt(psi) / 2, pValue: drifted ? 3e-12 : 0.3421 },
    histogram: {
      kind: 'numeric',
      edges: Array.from({ length: bins + 1 }, (_, bin) => low + ((high - low) * bin) / bins),
      reference: bell(bins, before),
      current: bell(bins, after),
    },
    missing: { reference: 0.0012, current: drifted ? 0.0341 : 0.0012 },
    counts: { reference: 48_152, current: 4_648 },
    infinite: { reference: 0, current: 0 },
  };
}

function categorical(
  name: string,
  psi: number,
  drifted: boolean,
  levels: readonly string[],
  reference: readonly number[],
  current: readonly number[],
): ColumnDrift {
  return {
    name,
    driftedIn: drifted ? ['values'] : [],
    drifted,
    psi,
    psiLimit: 0.0021,
    test: { name: 'chiSquare', statistic: psi * 4_380, pValue: drifted ? 1e-40 : 0.2107 },
    histogram: { kind: 'categorical', levels, hasOther: levels.includes('other'), reference, current },
    missing: { reference: 0, current: 0 },
    counts: { reference: 48_210, current: 4_812 },
    infinite: { reference: 0, current: 0 },
  };
}

function bell(bins: number, middle: number): number[] {
  const heights = Array.from({ length: bins }, (_, bin) => {
    const place = (bin + 0.5) / bins;
    return Math.exp(-(((place - middle) / 0.16) ** 2)) + 0.05 + 0.04 * Math.sin(bin * 7);
  });
  const sum = heights.reduce((total, height) => total + height, 0);
  return heights.map((height) => height / sum);
}
