import { join } from 'node:path';
import { settingsFile } from '../../protocol/endpointSettings.ts';
import type { ScorerModel } from '../../protocol/scorer.ts';
import type { EndpointSummary } from '../../protocol/serving.ts';
import type { RuntimeChoice, TuningPlan, TuningReport } from '../../protocol/tuning.ts';
import {
  readSettingsText,
  settingsText,
  type TunedEndpoint,
  writeSettings,
} from '../../tuning/settingsFile.ts';
import type { JobControl, WorkerProcesses } from '../workerProcess.ts';

/** Finds out how the endpoints of a folder run best on this machine. */
export interface Tuning {
  /**
   * Measures the stable version of an endpoint in a worker process, which is killed on abort.
   *
   * @throws SlipwayError `notFound`, `versionNotServable`, `pythonConsentNeeded`, what a scorer failed with, or
   *   `cancelled`.
   */
  measure(endpoint: string, plan: TuningPlan, control: JobControl): Promise<TuningReport>;
  /** The section of `slipway.yaml` that `write` would leave. @throws SlipwayError `notFound`. */
  settings(endpoint: string, choice: RuntimeChoice): Promise<string>;
  /**
   * Writes a choice into `slipway.yaml` and gives its absolute path.
   *
   * @throws SlipwayError `notFound`; `settingsNotWritten` or `settingsHoldNoEndpoints` when the file is not what it should be.
   */
  write(endpoint: string, choice: RuntimeChoice): Promise<string>;
}

export interface TuningDependencies {
  readonly workspace: string;
  readonly workers: Pick<WorkerProcesses, 'run'>;
  /** @throws SlipwayError `notFound`. */
  readonly endpoint: (name: string) => EndpointSummary;
  /** How a version is loaded. @throws SlipwayError `notFound`, `versionNotServable`, `pythonConsentNeeded`. */
  readonly loadable: (model: string, version: number) => Promise<ScorerModel>;
  /** Entry file of the scorer process. */
  readonly script: string;
}

export function createTuning(dependencies: TuningDependencies): Tuning {
  const { workspace, workers, endpoint, loadable, script } = dependencies;
  const file = join(workspace, settingsFile);
  const tuned = (name: string): TunedEndpoint => {
    const { modelName, modelVersion } = endpoint(name);
    return { endpoint: name, model: modelName, version: modelVersion };
  };
  return {
    async measure(name, plan, control) {
      const { modelName, modelVersion } = endpoint(name);
      const model = await loadable(modelName, modelVersion);
      return workers.run({ type: 'tune', ...plan, model, script }, control);
    },
    async settings(name, choice) {
      return settingsText(await readSettingsText(file), tuned(name), choice);
    },
    async write(name, choice) {
      await writeSettings(file, tuned(name), choice);
      return file;
    },
  };
}
