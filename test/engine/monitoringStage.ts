import { join } from 'node:path';
import { type Changes, createChanges } from '../../src/engine/changes.ts';
import { createStore, inferenceLogFile, type StoreLayout, storeLayout } from '../../src/engine/layout.ts';
import { createMonitoringService, type MonitoringService } from '../../src/engine/monitoring/service.ts';
import { SlipwayError } from '../../src/protocol/errors.ts';
import type { DriftReport } from '../../src/protocol/monitoring.ts';
import type { DatasetInput } from '../../src/protocol/tracking.ts';
import { inTemporaryFolder } from './headless.ts';
import { type LoggedRequest, writeInferenceLog } from './inferenceLog.ts';

/** The worker process, from the sources. */
export const workerScript = join(import.meta.dirname, '../../src/worker/main.ts');

/** A window that holds every request. */
export const ever = { from: 0, to: 9e15 };

/** Neither cancelled nor asked how far it is. */
export const unwatched = { signal: new AbortController().signal, progress: () => undefined };

/** A dataset of the run, as MLflow describes it. */
export type StagedDataset = Pick<DatasetInput, 'name' | 'source' | 'context'>;

/** The training data in the workspace's `train.csv`. */
export const trainingData: StagedDataset = {
  name: 'wines',
  context: 'training',
  source: '{"uri": "train.csv"}',
};

/** A monitoring service of an endpoint "wine" that serves version 3, made by a run. */
export interface Stage {
  readonly workspace: string;
  readonly layout: StoreLayout;
  readonly monitoring: MonitoringService;
  /** Writes the endpoint's log and lets go of it. */
  log(requests: Iterable<LoggedRequest>): void;
  /** Compares all requests with a file, or with the run's own training data. */
  compare(referenceFile?: string): Promise<DriftReport>;
}

/** Runs `work` on a stage of its own, whose run has these datasets, clears it afterwards, and gives its result. */
export function onStage<Result>(
  datasets: readonly StagedDataset[],
  work: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  return inTemporaryFolder(async (workspace) => {
    const layout = storeLayout(workspace);
    createStore(layout);
    const monitoring = openMonitoring({ workspace, datasets });
    try {
      return await work({
        workspace,
        layout,
        monitoring,
        log: (requests) => writeInferenceLog(inferenceLogFile(layout, 'wine'), requests),
        compare: (referenceFile) =>
          monitoring.drift({ endpoint: 'wine', referenceFile: referenceFile ?? null, ...ever }, unwatched),
      });
    } finally {
      await monitoring.close();
    }
  });
}

/** What a monitoring service of the endpoint "wine" is made of. */
export interface MonitoringParts {
  readonly workspace: string;
  readonly datasets?: readonly StagedDataset[];
  readonly changes?: Changes;
  readonly script?: string;
}

/** The monitoring service alone, over a folder that may have no store. The caller closes it. */
export function openMonitoring({
  workspace,
  datasets = [],
  changes = createChanges(),
  script = workerScript,
}: MonitoringParts): MonitoringService {
  return createMonitoringService({
    serving: { endpoint: endpointNamed },
    registry: { version: versionOf },
    tracking: {
      runDatasets: () => datasets.map((dataset) => ({ ...dataset, digest: '', sourceType: 'local' })),
    },
    layout: storeLayout(workspace),
    changes,
    workspace,
    script,
  });
}

function endpointNamed(name: string) {
  if (name !== 'wine') throw new SlipwayError('notFound', { detail: name });
  return {
    name,
    modelName: 'wine',
    modelVersion: 3,
    state: 'ready' as const,
    url: null,
    grpcAddress: null,
    readySince: null,
    rate: 0,
    latencyP50: null,
    latencyP99: null,
    variants: [],
    rollout: null,
    follows: { type: 'pinned' as const },
    declared: false,
    requestCount: 0,
    errorCount: 0,
    failure: null,
  };
}

function versionOf(name: string, version: number) {
  return {
    name,
    version,
    stage: 'None' as const,
    aliases: [],
    runId: 'run',
    runName: null,
    mainMetric: null,
    flavors: [],
    createdAt: 0,
  };
}
