import type { Database } from '../database/connection.ts';
import { createExperimentStore, type ExperimentStore } from './experimentStore.ts';
import { createLoggedModelSearchStore, type LoggedModelSearchStore } from './loggedModelSearchStore.ts';
import { createLoggedModelStore, type LoggedModelStore } from './loggedModelStore.ts';
import { createMetricStore, type MetricStore } from './metricStore.ts';
import { createOverviewStore, type OverviewStore } from './overviewStore.ts';
import { createRunSearchStore, type RunSearchStore } from './runSearchStore.ts';
import { createRunStore, type RunStore } from './runStore.ts';

/** All SQL of tracking, by noun. */
export interface TrackingStore {
  readonly experiments: ExperimentStore;
  readonly runs: RunStore;
  readonly runSearch: RunSearchStore;
  readonly metrics: MetricStore;
  readonly models: LoggedModelStore;
  readonly modelSearch: LoggedModelSearchStore;
  readonly overview: OverviewStore;
}

export function createTrackingStore(database: Database): TrackingStore {
  return {
    experiments: createExperimentStore(database),
    runs: createRunStore(database),
    runSearch: createRunSearchStore(database),
    metrics: createMetricStore(database),
    models: createLoggedModelStore(database),
    modelSearch: createLoggedModelSearchStore(database),
    overview: createOverviewStore(database),
  };
}
