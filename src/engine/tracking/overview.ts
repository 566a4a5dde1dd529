import { statSync } from 'node:fs';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type {
  ArtifactEntry,
  DatasetInput,
  ExperimentSummary,
  LoggedModelSummary,
  MainMetric,
  MetricSummary,
  RunDetail,
  RunPage,
  RunSummary,
} from '../../protocol/tracking.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { createGuessedMetrics } from './guessedMetrics.ts';
import { parseJsonOrNull } from './jsonText.ts';
import { experimentKey, invalid, notFound } from './limits.ts';
import { findExperiment, findRun } from './lookup.ts';
import { guessMainMetric } from './mainMetric.ts';
import { flavorNames } from './mlmodel.ts';
import type { RunPosition } from './overviewStore.ts';
import { datasetContextTag, modelHistoryTag, modelVersionsTag, parentRunTag, runNameTag } from './runTags.ts';
import type { CountedMetric, DatasetLink, LoggedModelRecord, RunRecord } from './types.ts';

export interface RunListing {
  readonly experimentId: string;
  readonly parentRunId: string | null;
  readonly cursor: string | null;
  readonly limit: number;
}

/** What the editor shows: the `tracking/*` requests of the protocol, and what other domains tell of runs. */
export interface Overview {
  runSummary(runId: string): RunSummary;
  runDatasets(runId: string): readonly DatasetInput[];
  experiments(): readonly ExperimentSummary[];
  runs(listing: RunListing): RunPage;
  runDetail(runId: string): RunDetail;
  runsWithModels(limit: number): readonly RunSummary[];
  artifactEntries(runId: string, path: string): readonly ArtifactEntry[];
  artifactFile(runId: string, path: string): { readonly file: string };
  setMainMetric(choice: {
    readonly experimentId: string;
    readonly key: string;
    readonly higherIsBetter: boolean;
  }): void;
}

/** MLflow's experiment for runs that named none. */
const defaultExperiment = 0;

/** Tags that other fields of a run's details show, or that only machines read. */
const shownElsewhere: ReadonlySet<string> = new Set([
  runNameTag,
  parentRunTag,
  modelHistoryTag,
  'mlflow.user',
  'mlflow.source.name',
  'mlflow.source.type',
  'mlflow.source.git.commit',
  'mlflow.source.git.branch',
  'mlflow.source.git.repoURL',
  'mlflow.source.git.dirty',
]);

export function createOverview(dependencies: TrackingDependencies): Overview {
  const { store, artifacts, changes, transaction } = dependencies;

  const guesses = createGuessedMetrics(store.overview);
  const mainMetricOf = (experiment: number, chosen: MainMetric | null): MainMetric | null =>
    chosen ?? guessMainMetric(store.overview.metricKeys(experiment));
  /** Summaries of runs; each experiment's main metric is determined once. */
  const summarize = (records: readonly RunRecord[]): readonly RunSummary[] => {
    const mainMetrics = new Map<string, MainMetric | null>();
    return records.map((run) => {
      let mainMetric = mainMetrics.get(run.experimentId);
      if (mainMetric === undefined) {
        const experiment = findExperiment(dependencies, run.experimentId);
        mainMetric = mainMetricOf(Number(run.experimentId), experiment.mainMetric);
        mainMetrics.set(run.experimentId, mainMetric);
      }
      return {
        runId: run.runId,
        experimentId: run.experimentId,
        name: run.name,
        status: run.status,
        startTime: run.startTime,
        endTime: run.endTime,
        mainMetric: mainMetric && store.overview.latestValue(run.key, mainMetric.key),
        parentRunId: run.parentRunId,
        modelCount: store.overview.modelCount(run.key),
      };
    });
  };
  const summaryOf = (run: RunRecord): RunSummary => {
    const [summary] = summarize([run]);
    if (summary) return summary;
    throw notFound(detail('noRun', { run: run.runId }));
  };
  const summarizeModel = (record: LoggedModelRecord): LoggedModelSummary => {
    const { tags } = store.models.load(record);
    return {
      modelId: record.modelId,
      name: record.name,
      flavors: flavorsOf(record),
      registeredAs: readRegistrations(tags.find(({ key }) => key === modelVersionsTag)?.value ?? '[]'),
    };
  };
  const flavorsOf = ({ artifactUri }: LoggedModelRecord): readonly string[] => {
    try {
      return flavorNames(artifacts.resolve(artifactUri));
    } catch (error) {
      // A model may lie elsewhere, such as in a bucket, where only its own client can read.
      if (error instanceof SlipwayError) return [];
      throw error;
    }
  };

  return {
    runSummary: (runId) => summaryOf(findRun(dependencies, runId)),
    runDatasets(runId) {
      const [loaded] = store.runs.load([findRun(dependencies, runId)]);
      return (loaded?.datasets ?? []).map(toDatasetInput);
    },
    experiments() {
      guesses.refresh();
      return store.overview
        .activity()
        .filter(({ key, runCount }) => key !== defaultExperiment || runCount > 0)
        .map((experiment) => ({
          experimentId: String(experiment.key),
          name: experiment.name,
          runCount: experiment.runCount,
          runningCount: experiment.runningCount,
          lastActivity: experiment.newestStart ?? experiment.creationTime,
          mainMetric: experiment.mainMetric ?? guesses.guess(experiment),
        }))
        .sort((a, b) => b.lastActivity - a.lastActivity);
    },
    runs({ experimentId, parentRunId, cursor, limit }) {
      const experiment = experimentKey(experimentId);
      const after = cursor === null ? null : readCursor(cursor);
      // One more than asked for tells whether there are more.
      const found =
        parentRunId === null
          ? store.overview.topRuns(experiment, after, limit + 1)
          : store.overview.childRuns(experiment, parentRunId, after, limit + 1);
      const last = found.length > limit ? found[limit - 1] : undefined;
      return {
        runs: summarize(found.slice(0, limit)),
        nextCursor: last ? `${last.startTime}:${last.key}` : null,
      };
    },
    runDetail(runId) {
      const run = findRun(dependencies, runId);
      const [loaded] = store.runs.load([run]);
      const tags = loaded?.tags ?? [];
      const tag = (name: string) => tags.find(({ key }) => key === name)?.value ?? null;
      return {
        run: summaryOf(run),
        experimentName: findExperiment(dependencies, run.experimentId).name,
        user: run.userId || (tag('mlflow.user') ?? ''),
        lifecycleStage: run.lifecycleStage,
        artifactUri: run.artifactUri,
        sourceName: tag('mlflow.source.name'),
        sourceCommit: tag('mlflow.source.git.commit'),
        sourceBranch: tag('mlflow.source.git.branch'),
        sourceRepository: tag('mlflow.source.git.repoURL'),
        sourceDirty: flagOf(tag('mlflow.source.git.dirty')),
        parameters: loaded?.parameters ?? [],
        metrics: store.metrics.latest(run.key).map(toMetricSummary),
        tags: tags.filter(({ key }) => !shownElsewhere.has(key)),
        datasets: (loaded?.datasets ?? []).map(toDatasetInput),
        models: store.models.ofRun(run.key).map(summarizeModel),
      };
    },
    runsWithModels: (limit) => summarize(store.overview.runsWithModels(limit)),
    artifactEntries(runId, path) {
      const { artifactUri } = findRun(dependencies, runId);
      if (!artifactUri.startsWith('mlflow-artifacts:')) return [];
      return artifacts
        .list(artifactUri, path)
        .toSorted(
          (a, b) => Number(b.isDirectory) - Number(a.isDirectory) || a.path.localeCompare(b.path, 'en'),
        );
    },
    artifactFile(runId, path) {
      const { artifactUri } = findRun(dependencies, runId);
      const file = artifacts.resolve(artifactUri, path);
      if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
        throw notFound(detail('noArtifactFile', { path }));
      }
      return { file };
    },
    setMainMetric({ experimentId, key, higherIsBetter }) {
      transaction(() => {
        findExperiment(dependencies, experimentId);
        store.experiments.setMainMetric(experimentKey(experimentId), { key, higherIsBetter });
      });
      changes.tracking(experimentId);
    },
  };
}

/** What is shown needs no digit beyond those of a double. */
function toMetricSummary({ step, timestamp, ...metric }: CountedMetric): MetricSummary {
  return { ...metric, step: Number(step), timestamp: Number(timestamp) };
}

function toDatasetInput({ dataset, tags }: DatasetLink): DatasetInput {
  return {
    name: dataset.name,
    digest: dataset.digest,
    sourceType: dataset.sourceType,
    source: dataset.source,
    context: tags.find(({ key }) => key === datasetContextTag)?.value ?? '',
  };
}

/** Reads the tag in which MLflow keeps what a model was registered as; it may hold a version twice, or anything else. */
function readRegistrations(json: string): LoggedModelSummary['registeredAs'] {
  const parsed = parseJsonOrNull(json);
  const found = new Map<string, { readonly name: string; readonly version: number }>();
  for (const entry of Array.isArray(parsed) ? parsed : []) {
    if (typeof entry?.name !== 'string' || !Number.isInteger(Number(entry.version))) continue;
    const version = Number(entry.version);
    found.set(`${entry.name}/${version}`, { name: entry.name, version });
  }
  return [...found.values()];
}

/** MLflow writes "true", others "True". */
function flagOf(text: string | null): boolean | null {
  return text === null ? null : text.toLowerCase() === 'true';
}

function readCursor(cursor: string): RunPosition {
  const [startTime, key] = cursor.split(':').map(Number);
  if (Number.isSafeInteger(startTime) && Number.isSafeInteger(key)) {
    return { startTime: startTime ?? 0, key: key ?? 0 };
  }
  throw invalid(`Invalid cursor '${cursor}'.`);
}
