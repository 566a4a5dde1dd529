import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import type { ArtifactStore } from './artifacts.ts';
import { type Assessments, createAssessments } from './assessments.ts';
import { type Curves, createCurves } from './curves.ts';
import { createExperiments, type Experiments } from './experiments.ts';
import { createTrackingExports, type TrackingExports } from './exporting.ts';
import { createTrackingImports, type TrackingImports } from './importing.ts';
import { createLoggedModels, type LoggedModels } from './loggedModels.ts';
import { createLogging, type Logging } from './logging.ts';
import { createMetricHistories, type MetricHistories } from './metricHistories.ts';
import { createOverview, type Overview } from './overview.ts';
import { createRuns, type Runs } from './runs.ts';
import { createTrackingStore } from './store.ts';
import { createTraces, type Traces } from './traces.ts';

/** The rules of tracking, for MLflow clients and for the editor alike. Failures are `SlipwayError`s. */
export type TrackingService = Experiments &
  Runs &
  Logging &
  MetricHistories &
  Curves &
  LoggedModels &
  Overview &
  Traces &
  Assessments &
  TrackingImports &
  TrackingExports;

export interface TrackingOptions {
  readonly database: Database;
  readonly artifacts: ArtifactStore;
  readonly changes: Changes;
  /**
   * From there counts an artifact location that a client gives as a relative path. As on MLflow's server the folder that
   * this process runs in, unless said.
   */
  readonly clientFolder?: string | undefined;
}

/** Composes tracking over an open store. */
export function createTrackingService({
  database,
  artifacts,
  changes,
  clientFolder = process.cwd(),
}: TrackingOptions): TrackingService {
  const store = createTrackingStore(database);
  const dependencies = { store, artifacts, changes, transaction: database.transaction, clientFolder };
  return {
    ...createExperiments(dependencies),
    ...createRuns(dependencies),
    ...createLogging(dependencies),
    ...createMetricHistories(dependencies),
    ...createCurves(dependencies),
    ...createLoggedModels(dependencies),
    ...createOverview(dependencies),
    ...createTraces(dependencies),
    ...createAssessments(dependencies),
    ...createTrackingImports(dependencies),
    ...createTrackingExports(dependencies),
  };
}
