import { basename, isAbsolute } from 'node:path';
import { SlipwayError } from '../../protocol/errors.ts';
import type { DriftReport, DriftSources, ReferenceSource } from '../../protocol/monitoring.ts';
import type { DatasetInput } from '../../protocol/tracking.ts';
import type { Changes } from '../changes.ts';
import { inferenceLogFile, type StoreLayout } from '../layout.ts';
import type { RegistryService } from '../registry/service.ts';
import type { ServingService } from '../serving/service.ts';
import type { TrackingService } from '../tracking/service.ts';
import { createWorkerProcesses, type JobControl } from '../workerProcess.ts';
import { findReferences } from './references.ts';
import { readLogExtent } from './store.ts';

export type { JobControl } from '../workerProcess.ts';

export interface MonitoringDependencies {
  readonly registry: Pick<RegistryService, 'version'>;
  readonly tracking: Pick<TrackingService, 'runDatasets'>;
  readonly serving: Pick<ServingService, 'endpoint'>;
  readonly layout: StoreLayout;
  readonly changes: Changes;
  /** Absolute path of the workspace folder; relative paths of datasets start there. */
  readonly workspace: string;
  /** Entry file of the worker process. */
  readonly script: string;
}

export interface DriftParams {
  readonly endpoint: string;
  /** An absolute path; null takes the first of `driftSources`. */
  readonly referenceFile: string | null;
  /** UTC milliseconds, both included. */
  readonly from: number;
  readonly to: number;
}

/** Watches what endpoints are asked. */
export interface MonitoringService {
  /** What an endpoint can be compared with. @throws SlipwayError `notFound` when there is no such endpoint. */
  driftSources(endpoint: string): DriftSources;
  /**
   * Compares reference data with the requests logged in a window, in a worker process that is killed on abort.
   *
   * @throws SlipwayError `notFound`, `noReferenceData`, `noLoggedRequests`, `dataUnreadable`, `noSharedColumns`, or
   * `cancelled`.
   */
  drift(params: DriftParams, control: JobControl): Promise<DriftReport>;
  /** Ends running jobs. */
  close(): Promise<void>;
}

export function createMonitoringService(dependencies: MonitoringDependencies): MonitoringService {
  const { registry, tracking, serving, layout, changes, workspace, script } = dependencies;
  const workers = createWorkerProcesses(script);

  const datasetsBehind = (endpoint: string): readonly DatasetInput[] => {
    const { modelName, modelVersion } = serving.endpoint(endpoint);
    try {
      const { runId } = registry.version(modelName, modelVersion);
      return runId === null ? [] : tracking.runDatasets(runId);
    } catch (error) {
      // The version or its run may have been deleted since; the log can still be compared with a chosen file.
      if (error instanceof SlipwayError && error.category === 'notFound') return [];
      throw error;
    }
  };
  const references = (endpoint: string) => findReferences(datasetsBehind(endpoint), workspace);
  const chooseReference = ({ endpoint, referenceFile }: DriftParams): ReferenceSource => {
    const known = references(endpoint);
    if (referenceFile === null) {
      const [first] = known;
      if (first === undefined) throw new SlipwayError('noReferenceData', { endpoint });
      return first;
    }
    if (!isAbsolute(referenceFile)) {
      throw new SlipwayError('invalidParameter', { detail: `No absolute path: ${referenceFile}` });
    }
    return (
      known.find(({ file }) => file === referenceFile) ?? {
        label: basename(referenceFile),
        file: referenceFile,
      }
    );
  };

  return {
    driftSources: (endpoint) => ({
      endpoint,
      references: references(endpoint),
      ...readLogExtent(inferenceLogFile(layout, endpoint)),
    }),
    async drift(params, control) {
      const reference = chooseReference(params);
      const { endpoint, from, to } = params;
      try {
        return await workers.run(
          {
            type: 'drift',
            endpoint,
            referenceFile: reference.file,
            referenceLabel: reference.label,
            inferenceLog: inferenceLogFile(layout, endpoint),
            from,
            to,
          },
          control,
        );
      } catch (error) {
        if (error instanceof SlipwayError && error.kind === 'internal') {
          changes.log('error', `${error.message}\n${String(error.cause ?? '')}`);
        }
        throw error;
      }
    },
    close: () => workers.close(),
  };
}
