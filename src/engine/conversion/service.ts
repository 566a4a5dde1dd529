import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import {
  type ConversionReport,
  type ConvertibleFlavor,
  convertibleFlavors,
} from '../../protocol/conversion.ts';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ModelVersionSummary } from '../../protocol/registry.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import type { StoreLayout } from '../layout.ts';
import { findReferences } from '../monitoring/references.ts';
import type { RegistryService } from '../registry/service.ts';
import type { PythonModels } from '../serving/pythonModels.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { JobControl, WorkerProcesses } from '../workerProcess.ts';

/** Conversions of registered versions to ONNX: first made and compared, then registered or discarded. */
export interface ConversionService {
  /**
   * Converts a version and compares both. The result waits for `register` or `discard`.
   *
   * @throws SlipwayError `notFound`, `notConvertible`, `pythonConsentNeeded`, `pythonNotFound`,
   * `pythonPackagesMissing`, `conversionFailed` or `cancelled`.
   */
  convert(
    version: { readonly name: string; readonly version: number },
    control: JobControl,
  ): Promise<ConversionReport>;
  /** Makes what was converted a new version, whose tags say where it comes from. @throws SlipwayError `notFound`. */
  register(id: string): Promise<ModelVersionSummary>;
  discard(id: string): Promise<void>;
  /** Forgets everything that was not registered. */
  close(): Promise<void>;
}

export interface ConversionDependencies {
  readonly registry: Pick<RegistryService, 'version' | 'modelFolder' | 'createVersion' | 'modelVersion'>;
  readonly tracking: Pick<
    TrackingService,
    'run' | 'runDatasets' | 'loggedModel' | 'createLoggedModel' | 'finalizeLoggedModel' | 'deleteLoggedModel'
  >;
  readonly artifacts: Pick<ArtifactStore, 'write' | 'pathOf'>;
  readonly pythonModels: Pick<PythonModels, 'interpreterOf'>;
  readonly workers: WorkerProcesses;
  readonly layout: StoreLayout;
  /** Absolute path of the folder that relative paths of datasets start from. */
  readonly workspace: string;
}

interface Draft {
  readonly report: ConversionReport;
  readonly folder: string;
}

/** What an engine that was killed left is removed after this time. */
const keptMilliseconds = 86_400_000;

export function createConversionService(dependencies: ConversionDependencies): ConversionService {
  const { registry, pythonModels, workers, layout } = dependencies;
  const folder = join(layout.cache, 'conversions');
  const drafts = new Map<string, Draft>();
  const take = (id: string): Draft => {
    const draft = drafts.get(id);
    if (!draft) throw new SlipwayError('notFound', { detail: detail('noConversion') });
    return draft;
  };
  const discard = async (id: string) => {
    const draft = drafts.get(id);
    drafts.delete(id);
    if (draft) await rm(draft.folder, { recursive: true, force: true });
  };

  return {
    async convert({ name: modelName, version: modelVersion }, control) {
      const { name, version, flavors, runId } = registry.version(modelName, modelVersion);
      const flavor = convertibleFlavor(flavors);
      if (flavor === null) throw notConvertible(name, version, flavors);
      const python = await pythonModels.interpreterOf(name, version);
      if (python === null) throw notConvertible(name, version, ['an ONNX model already']);
      await mkdir(folder, { recursive: true });
      await removeOld(folder);
      const id = randomUUID();
      const output = join(folder, id);
      const job = {
        type: 'convert' as const,
        name,
        version,
        flavor,
        folder: registry.modelFolder(name, version),
        python,
        dataset: datasetOf(dependencies, runId),
        output,
      };
      const converted = await workers.run(job, control).catch(async (error: unknown) => {
        await rm(output, { recursive: true, force: true });
        throw error;
      });
      const report = { id, modelName: name, modelVersion: version, flavor, ...converted };
      drafts.set(id, { report, folder: output });
      return report;
    },
    async register(id) {
      const draft = take(id);
      const version = await registerDraft(dependencies, draft);
      await discard(id);
      return version;
    },
    discard,
    async close() {
      await Promise.all([...drafts.keys()].map(discard));
    },
  };
}

function convertibleFlavor(flavors: readonly string[]): ConvertibleFlavor | null {
  return convertibleFlavors.find((flavor) => flavors.includes(flavor)) ?? null;
}

function notConvertible(model: string, version: number, flavors: readonly string[]): SlipwayError {
  return new SlipwayError('notConvertible', { model, version, flavors: flavors.join(', ') || 'no model' });
}

async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const status = await stat(path).catch(() => null);
    if (status && Date.now() - status.mtimeMs > keptMilliseconds) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

/** The first file of the run's data that lies on this machine; null when there is none. */
function datasetOf({ tracking, workspace }: ConversionDependencies, runId: string | null): string | null {
  if (runId === null) return null;
  try {
    return findReferences(tracking.runDatasets(runId), workspace)[0]?.file ?? null;
  } catch (error) {
    // The run may be gone, or another store's.
    if (error instanceof SlipwayError && error.category === 'notFound') return null;
    throw error;
  }
}

/** The experiment that MLflow has from the start. */
const defaultExperiment = '0';

async function registerDraft(
  { registry, tracking, artifacts }: ConversionDependencies,
  { report, folder }: Draft,
): Promise<ModelVersionSummary> {
  const { modelName, modelVersion } = report;
  const { runId, modelId } = registry.modelVersion(modelName, modelVersion);
  const origin = modelId === null ? null : found(() => tracking.loggedModel(modelId));
  const run = runId === null ? null : found(() => tracking.run(runId));
  const tags = tagsOf(report);
  const { model: info } = tracking.createLoggedModel({
    experimentId: origin?.experimentId ?? run?.experimentId ?? defaultExperiment,
    name: `${origin?.name ?? 'model'}-onnx`,
    modelType: '',
    sourceRunId: run ? (runId ?? undefined) : undefined,
    tags,
    parameters: [],
  });
  try {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      const path = relative(folder, file).split(sep).join('/');
      await artifacts.write(artifacts.pathOf(info.artifactUri, path), createReadStream(file));
    }
    tracking.finalizeLoggedModel(info.modelId, 'LOGGED_MODEL_READY');
    const created = registry.createVersion({
      name: modelName,
      source: `models:/${info.modelId}`,
      runId: run ? runId : null,
      modelId: info.modelId,
      runLink: '',
      description: `Converted to ONNX from version ${modelVersion} (${report.flavor}).`,
      tags,
    });
    return registry.version(created.name, created.version);
  } catch (error) {
    tracking.deleteLoggedModel(info.modelId);
    throw error;
  }
}

/** Where the version comes from, and how it differed from that. */
function tagsOf({ modelVersion, flavor, checks }: ConversionReport): readonly KeyValue[] {
  const outputs = checks.flatMap((check) => check.outputs);
  const largest = Math.max(0, ...outputs.map(({ largestAbsolute }) => largestAbsolute ?? 0));
  const rows = checks.reduce((sum, check) => sum + check.rows, 0);
  const different = Math.max(
    0,
    ...[...new Set(outputs.map(({ name }) => name))].map((name) =>
      outputs.filter((output) => output.name === name).reduce((sum, output) => sum + output.differentRows, 0),
    ),
  );
  return [
    { key: 'slipway.convertedFrom', value: `${modelVersion}` },
    { key: 'slipway.convertedFlavor', value: flavor },
    { key: 'slipway.comparedRows', value: `${rows}` },
    { key: 'slipway.differentRows', value: `${different}` },
    { key: 'slipway.largestDifference', value: `${largest}` },
  ];
}

function found<Result>(look: () => Result): Result | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof SlipwayError && error.category === 'notFound') return null;
    throw error;
  }
}
