import type { EngineParams } from '../../src/protocol/engine.ts';
import type { PageMethod, PageSubject } from '../../src/protocol/page.ts';
import type { RunProvenance } from '../../src/protocol/provenance.ts';
import type { ArtifactEntry, MetricSeries, MetricSummary, RunDetail } from '../../src/protocol/tracking.ts';
import { createExponentialAverage } from '../../src/statistics/exponentialAverage.ts';
import { thin } from '../../src/statistics/thinning.ts';
import { FailedRequest, type FakeHost } from './fakeHost.ts';
import { installedPackages, madeInTerminal } from './runProvenance.ts';

const runId = '0f3a8c1e5b7d4a2f9c6e8b1d3f5a7c9e';
const start = Date.now() - 64 * 60_000;

interface Point {
  readonly step: number;
  readonly value: number;
  readonly timestamp: number;
}

/** A training run as the engine would tell it, whose points can be added to. */
export interface RunFixture extends FakeHost {
  log(key: string, points: readonly Point[]): void;
  /** Forgets all metrics. */
  empty(): void;
  status: RunDetail['run']['status'];
  failing: boolean;
  provenance: RunProvenance;
}

/** @param size how many points the long curve has */
export function createRun(size = 400): RunFixture {
  const metrics = new Map<string, Point[]>();
  const subject: PageSubject = { page: 'run', folder: 'file:///work', runId };
  const fixture: RunFixture = {
    subject,
    trusted: true,
    status: 'RUNNING',
    failing: false,
    provenance: madeInTerminal,
    log(key, points) {
      metrics.set(key, [...(metrics.get(key) ?? []), ...points]);
    },
    empty: () => metrics.clear(),
    answer({ method, params }) {
      if (fixture.failing) {
        throw new FailedRequest({
          kind: 'engineStopped',
          message: 'The Slipway engine is not running: it ended with code 1.',
          remedy: 'Run "Slipway: Restart Engine".',
        });
      }
      return answerTo(method, params, fixture, metrics);
    },
  };
  fixture.log(
    'train/loss',
    curve(size, (step) => 2.4 * Math.exp(-step / (size / 5)) + 0.16 + wobble(step) * 0.08),
  );
  fixture.log(
    'val/loss',
    curve(80, (step) => 2.2 * Math.exp(-step / 20) + 0.12 + wobble(step) * 0.05),
  );
  fixture.log(
    'val/accuracy',
    curve(80, (step) => 0.94 - 0.5 * Math.exp(-step / 18) + wobble(step) * 0.012),
  );
  fixture.log(
    'grad_norm',
    curve(200, (step) =>
      step === 60
        ? Number.NaN
        : step === 120
          ? Number.POSITIVE_INFINITY
          : 1 + 8 * Math.abs(wobble(step)) ** 3,
    ),
  );
  fixture.log(
    'learning_rate',
    curve(100, (step) => 1e-3 * 0.96 ** step),
  );
  fixture.log(
    'throughput',
    curve(40, (step) => 12_400 + 900 * wobble(step)).map((point) => ({ ...point, step: 0 })),
  );
  for (const [key, value] of Object.entries({
    'test/accuracy': 0.93412,
    'test/f1': 0.91877,
    'test/roc_auc': 0.97351,
    'test/log_loss': 0.18412,
    train_rows: 1_048_576,
    calibration_error: 0.0000412,
  })) {
    fixture.log(key, [{ step: 0, value, timestamp: start }]);
  }
  for (const key of ['system/cpu_utilization_percentage', 'system/system_memory_usage_megabytes']) {
    fixture.log(
      key,
      curve(60, (step) => 50 + 30 * wobble(step)),
    );
  }
  return fixture;
}

/** Points one second apart from the first step on. */
export function curve(count: number, valueAt: (step: number) => number, firstStep = 0): Point[] {
  return Array.from({ length: count }, (_, index) => ({
    step: firstStep + index,
    value: valueAt(firstStep + index),
    timestamp: start + (firstStep + index) * 1000,
  }));
}

/** Noise that is the same each time. */
function wobble(step: number): number {
  return Math.sin(step * 12.9898) * Math.cos(step * 4.1414) + 0.4 * Math.sin(step * 0.7);
}

function answerTo(
  method: PageMethod,
  params: object,
  fixture: RunFixture,
  metrics: ReadonlyMap<string, readonly Point[]>,
): unknown {
  switch (method) {
    case 'tracking/run':
      return detail(fixture, metrics);
    case 'tracking/metricSeries':
      return Reflect.get(params, 'metrics').map((asked: CurveRequest) =>
        series(asked, Reflect.get(params, 'budget'), metrics.get(asked.key) ?? []),
      );
    case 'provenance/run':
      return fixture.provenance;
    case 'provenance/packages':
      return installedPackages;
    case 'tracking/artifacts':
      return artifacts[Reflect.get(params, 'path')] ?? [];
    default:
      throw new Error(`The run page may not ask for ${method}.`);
  }
}

type CurveRequest = EngineParams<'tracking/metricSeries'>['metrics'][number];

function series(
  { key, part, smoothing }: CurveRequest,
  budget: number,
  points: readonly Point[],
): MetricSeries {
  const average = createExponentialAverage(smoothing);
  const asked = points
    .map((point) => ({ ...point, x: point.step, y: point.value, smoothed: average(point.value) }))
    .filter(({ step, timestamp }) => {
      if (part.kind === 'all') return true;
      if (part.kind === 'after') return step > part.step;
      const place = part.kind === 'steps' ? step : timestamp;
      return place >= part.from && place <= part.to;
    });
  const sent = thin(asked, budget);
  const notFinite = asked.filter(({ value }) => !Number.isFinite(value));
  return {
    key,
    steps: Float64Array.from(sent, ({ step }) => step),
    values: Float64Array.from(sent, ({ value }) => value),
    timestamps: Float64Array.from(sent, ({ timestamp }) => timestamp),
    smoothed: smoothing > 0 ? Float64Array.from(sent, ({ smoothed }) => smoothed) : null,
    represented: asked.length,
    notFinite: { count: notFinite.length, lastStep: notFinite.at(-1)?.step ?? 0 },
    notPositive: asked.filter(({ value }) => value <= 0 && Number.isFinite(value)).length,
    pointCount: points.length,
  };
}

function summary(key: string, points: readonly Point[]): MetricSummary {
  const last = points.at(-1) ?? { step: 0, value: 0, timestamp: 0 };
  return { key, ...last, pointCount: points.length };
}

function detail(fixture: RunFixture, metrics: ReadonlyMap<string, readonly Point[]>): RunDetail {
  return {
    run: {
      runId,
      experimentId: '1',
      name: 'crimson-otter-417',
      status: fixture.status,
      startTime: start,
      endTime: fixture.status === 'RUNNING' ? null : start + 3_840_000,
      mainMetric: { key: 'val/accuracy', value: 0.9382 },
      parentRunId: 'parent',
      modelCount: 1,
    },
    experimentName: 'churn-classifier',
    user: 'ana',
    lifecycleStage: 'active',
    artifactUri: `mlflow-artifacts:/1/${runId}/artifacts`,
    sourceName: 'train.py',
    sourceCommit: '9f2c1d7ab3e5f60718293a4b5c6d7e8f90a1b2c3',
    sourceBranch: 'main',
    sourceRepository: null,
    sourceDirty: null,
    parameters: Object.entries({
      batch_size: '256',
      dropout: '0.15',
      early_stopping_rounds: '20',
      features:
        'tenure, monthly_charges, total_charges, contract, payment_method, internet_service, support_calls',
      hidden_layers: '[128, 64, 32]',
      learning_rate: '0.001',
      max_epochs: '80',
      optimizer: 'adamw',
      random_state: '42',
      scheduler: 'exponential',
      weight_decay: '0.0001',
    }).map(([key, value]) => ({ key, value })),
    metrics: [...metrics].map(([key, points]) => summary(key, points)),
    tags: [
      { key: 'team', value: 'growth' },
      { key: 'candidate', value: 'yes' },
    ],
    datasets: [
      {
        name: 'churn-train',
        digest: 'a1b2c3d4',
        sourceType: 'local',
        source: '{"uri": "data/churn-train.parquet"}',
        context: 'training',
      },
      {
        name: 'churn-test',
        digest: 'e5f6a7b8',
        sourceType: 'local',
        source: '{"uri": "data/churn-test.parquet"}',
        context: 'evaluation',
      },
    ],
    models: [
      {
        modelId: 'm-1',
        name: 'model',
        flavors: ['onnx', 'python_function'],
        registeredAs: [{ name: 'churn', version: 7 }],
      },
    ],
  };
}

const artifacts: Readonly<Record<string, readonly ArtifactEntry[]>> = {
  '': [
    { path: 'model', isDirectory: true, size: 0 },
    { path: 'plots', isDirectory: true, size: 0 },
    { path: 'feature_importance.json', isDirectory: false, size: 2_412 },
    { path: 'requirements.txt', isDirectory: false, size: 318 },
  ],
  model: [
    { path: 'model/MLmodel', isDirectory: false, size: 1_204 },
    { path: 'model/model.onnx', isDirectory: false, size: 4_712_004 },
  ],
  plots: [{ path: 'plots/confusion_matrix.png', isDirectory: false, size: 48_210 }],
};
