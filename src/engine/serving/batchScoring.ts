import { isAbsolute } from 'node:path';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ModelVersionSummary } from '../../protocol/registry.ts';
import type { ScoreOptions, ScoreReport } from '../../protocol/scoring.ts';
import type { Changes } from '../changes.ts';
import type { RegistryService } from '../registry/service.ts';
import type { JobControl, WorkerProcesses } from '../workerProcess.ts';
import { folderDigest } from './folderDigest.ts';
import { namedVersion } from './namedVersion.ts';
import type { PythonModels } from './pythonModels.ts';
import { servableModel } from './servableModel.ts';

export interface ScoreParams extends ScoreOptions {
  readonly modelName: string;
  readonly modelVersion: number;
}

/** Scores whole files. */
export interface BatchScoring {
  /**
   * The version that a person names, such as `wine`, `wine/3`, `wine/Staging` or `wine@champion`.
   *
   * @throws SlipwayError `notFound`.
   */
  version(name: string): ModelVersionSummary;
  /**
   * Asks a version for a prediction for each row of a file, in a worker process that is killed on abort. What was done
   * until then is kept beside the output; the same request goes on from there.
   *
   * @throws SlipwayError `notFound`, `versionNotServable`, `pythonConsentNeeded`, what scoring meets, or `cancelled`.
   */
  score(params: ScoreParams, control: JobControl): Promise<ScoreReport>;
}

export interface BatchScoringDependencies {
  readonly registry: Pick<RegistryService, 'modelFolder' | 'version' | 'versions' | 'models'>;
  readonly pythonModels: Pick<PythonModels, 'interpreterOf'>;
  readonly changes: Pick<Changes, 'log'>;
  readonly workers: Pick<WorkerProcesses, 'run'>;
}

/** What a kill may lose. */
const keepMilliseconds = 5_000;

export function createBatchScoring(dependencies: BatchScoringDependencies): BatchScoring {
  const { registry, pythonModels, changes, workers } = dependencies;
  return {
    version: (name) => namedVersion(registry, name),
    async score({ modelName, modelVersion, ...options }, control) {
      for (const path of [options.input, options.output]) {
        if (!isAbsolute(path)) {
          throw new SlipwayError('invalidParameter', { detail: `No absolute path: ${path}` });
        }
      }
      const { name, version } = registry.version(modelName, modelVersion);
      const folder = registry.modelFolder(name, version);
      const python = await pythonModels.interpreterOf(name, version);
      const model = servableModel(folder, name, version, { python });
      // Of a model that only Python can load, all its files count.
      const digest = model.source.type === 'python' ? await folderDigest(folder) : null;
      try {
        return await workers.run(
          { type: 'score', ...options, keepMilliseconds, model: { ...model, labels: [], digest } },
          control,
        );
      } catch (error) {
        if (error instanceof SlipwayError && error.kind === 'internal') {
          changes.log('error', `${error.message}\n${String(error.cause ?? '')}`);
        }
        throw error;
      }
    },
  };
}
