import type { Database } from '../database/connection.ts';
import { createExperimentStore, type ExperimentStore } from './experimentStore.ts';
import { createExportStore, type ExportStore } from './exportStore.ts';
import { createImportStore, type ImportStore } from './importStore.ts';
import { createLoggedModelSearchStore, type LoggedModelSearchStore } from './loggedModelSearchStore.ts';
import { createLoggedModelStore, type LoggedModelStore } from './loggedModelStore.ts';
import { createMetricHistoryStore, type MetricHistoryStore } from './metricHistoryStore.ts';
import { createMetricSeriesStore, type MetricSeriesStore } from './metricSeriesStore.ts';
import { createMetricStore, type MetricStore } from './metricStore.ts';
import { createOverviewStore, type OverviewStore } from './overviewStore.ts';
import { createRunSearchStore, type RunSearchStore } from './runSearchStore.ts';
import { createRunStore, type RunStore } from './runStore.ts';
import { createTraceSearchStore, type TraceSearchStore } from './traceSearchStore.ts';
import { createTraceStore, type TraceStore } from './traceStore.ts';

/** All SQL of tracking, by noun. */
export interface TrackingStore {
  readonly experiments: ExperimentStore;
  readonly runs: RunStore;
  readonly runSearch: RunSearchStore;
  readonly metrics: MetricStore;
  readonly metricHistory: MetricHistoryStore;
  readonly metricSeries: MetricSeriesStore;
  readonly models: LoggedModelStore;
  readonly modelSearch: LoggedModelSearchStore;
  readonly overview: OverviewStore;
  readonly imports: ImportStore;
  readonly exports: ExportStore;
  readonly traces: TraceStore;
  readonly traceSearch: TraceSearchStore;
}

export function createTrackingStore(database: Database): TrackingStore {
  return {
    experiments: createExperimentStore(database),
    runs: createRunStore(database),
    runSearch: createRunSearchStore(database),
    metrics: createMetricStore(database),
    metricHistory: createMetricHistoryStore(database),
    metricSeries: createMetricSeriesStore(database),
    models: createLoggedModelStore(database),
    modelSearch: createLoggedModelSearchStore(database),
    overview: createOverviewStore(database),
    imports: createImportStore(database),
    exports: createExportStore(database),
    traces: createTraceStore(database),
    traceSearch: createTraceSearchStore(database),
  };
}
