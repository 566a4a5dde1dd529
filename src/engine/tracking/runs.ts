import { detail } from '../../protocol/errorDetails.ts';
import type { KeyValue, RunStatus } from '../../protocol/tracking.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { parseJsonOrNull, writePythonJson } from './jsonText.ts';
import { checkKey, checkLength, experimentKey, invalid, notFound, tagValue } from './limits.ts';
import { changeRun, findActiveExperiment, findActiveRun, findRun, stagesOf } from './lookup.ts';
import { pageOf, readPageToken } from './paging.ts';
import { makeId, makeUpName } from './runNames.ts';
import { modelHistoryTag, parentRunTag, runNameTag, writeTag } from './runTags.ts';
import { readFilter, readOrder, runSearchRules } from './searchRules.ts';
import type { DatasetLink, ModelOutput, Page, Run, RunInfo, RunRecord, Search, ViewType } from './types.ts';

export interface RunToCreate {
  readonly experimentId: string;
  readonly userId: string;
  /** Empty: taken from the tag `mlflow.runName`, or made up. */
  readonly name: string;
  /** UTC milliseconds; absent: now. */
  readonly startTime?: number | undefined;
  readonly tags: readonly KeyValue[];
}

export interface RunUpdate {
  readonly status?: RunStatus | undefined;
  readonly endTime?: number | undefined;
  readonly name?: string | undefined;
}

export interface Runs {
  createRun(run: RunToCreate): Run;
  /** Throws `notFound`; a deleted one is found. */
  run(runId: string): RunInfo;
  /** The run with all that was logged to it. Throws `notFound`. */
  wholeRun(runId: string): Run;
  updateRun(runId: string, update: RunUpdate): RunInfo;
  deleteRun(runId: string): void;
  restoreRun(runId: string): void;
  searchRuns(
    search: Search & { readonly experimentIds: readonly string[]; readonly viewType: ViewType },
  ): Page<Run>;
  setTag(runId: string, key: string, value: string): void;
  deleteTag(runId: string, key: string): void;
  /** Links datasets and models that the run used; what is linked already stays as it is. */
  logInputs(runId: string, datasets: readonly DatasetLink[], modelIds: readonly string[]): void;
  logOutputs(runId: string, models: readonly ModelOutput[]): void;
  /** Appends the description of a model that an MLflow 2 client logged among the run's artifacts. */
  logModelHistory(runId: string, modelJson: string): void;
}

/** The rules of runs. A deleted run can be read and restored, and nothing else. */
export function createRuns(dependencies: TrackingDependencies): Runs {
  const { store, changes, transaction } = dependencies;

  const load = (run: RunRecord): Run => {
    const [loaded] = store.runs.load([run]);
    if (loaded) return loaded;
    throw notFound(detail('noRun', { run: run.runId }));
  };
  const change = <Result>(runId: string, find: typeof findRun, work: (run: RunRecord) => Result): Result =>
    changeRun(dependencies, find, runId, work);

  return {
    createRun(wanted) {
      const name = nameOf(wanted);
      for (const { key } of wanted.tags) checkKey(key, 'Tag key', 'key');
      const run = transaction(() => {
        const experiment = findActiveExperiment(dependencies, wanted.experimentId);
        const runId = makeId();
        const key = store.runs.insert({
          runId,
          experimentId: experiment.experimentId,
          name,
          userId: wanted.userId,
          status: 'RUNNING',
          startTime: wanted.startTime ?? Date.now(),
          artifactUri: `${experiment.artifactLocation.replace(/\/$/, '')}/${runId}/artifacts`,
        });
        for (const tag of wanted.tags) writeTag(store, key, tag);
        // Last, as it may differ from the tag that was given: an empty one.
        writeTag(store, key, { key: runNameTag, value: name });
        return load(findRun(dependencies, runId));
      });
      changes.tracking(run.info.experimentId, run.info.runId);
      return run;
    },
    run(runId) {
      const { key: _, ...info } = findRun(dependencies, runId);
      return info;
    },
    wholeRun: (runId) => load(findRun(dependencies, runId)),
    updateRun: (runId, { status, endTime, name }) =>
      change(runId, findActiveRun, (run) => {
        const updated = {
          ...run,
          status: status ?? run.status,
          endTime: endTime ?? run.endTime,
          name: name || run.name,
        };
        store.runs.update(updated);
        if (name) store.runs.setTag(run.key, { key: runNameTag, value: name });
        const { key: _, ...info } = updated;
        return info;
      }),
    deleteRun: (runId) =>
      change(runId, findRun, (run) => {
        if (run.lifecycleStage === 'active') store.runs.setStage(run.key, 'deleted', Date.now());
      }),
    restoreRun: (runId) => change(runId, findRun, (run) => store.runs.setStage(run.key, 'active', null)),
    searchRuns({ experimentIds, filter, orderBy, maxResults, pageToken, viewType }) {
      const subject = ['runs', experimentIds, filter, orderBy, viewType];
      const { items, last } = store.runSearch.search(
        {
          comparisons: readFilter(filter, runSearchRules),
          order: readOrder(orderBy, runSearchRules),
          limit: maxResults,
          after: readPageToken(pageToken, subject),
        },
        experimentIds.map(experimentKey),
        stagesOf(viewType),
      );
      return pageOf({ items: store.runs.load(items), last }, subject);
    },
    setTag(runId, key, value) {
      checkKey(key, 'Tag key', 'key');
      change(runId, findActiveRun, (run) => writeTag(store, run.key, { key, value }));
    },
    deleteTag: (runId, key) =>
      change(runId, findActiveRun, (run) => {
        if (!store.runs.deleteTag(run.key, key)) {
          throw notFound(`No tag with name: ${key} in run with id ${runId}`);
        }
        if (key === parentRunTag) store.runs.setParent(run.key, null);
      }),
    logInputs(runId, datasets, modelIds) {
      for (const link of datasets) checkDatasetLink(link);
      change(runId, findActiveRun, (run) => {
        for (const link of datasets) store.runs.linkDataset(run, link);
        for (const modelId of modelIds) store.runs.linkModelInput(run.key, modelId);
      });
    },
    logOutputs: (runId, models) =>
      change(runId, findActiveRun, (run) => {
        for (const output of models) store.runs.linkModelOutput(run.key, output);
      }),
    logModelHistory: (runId, modelJson) =>
      change(runId, findActiveRun, (run) => {
        const history = parseList(store.runs.tag(run.key, modelHistoryTag) ?? '[]');
        const value = writePythonJson([...history, parseModel(modelJson)]);
        // Longer than other tags may be: cut short it would be no JSON any more.
        store.runs.setTag(run.key, { key: modelHistoryTag, value });
      }),
  };
}

function nameOf({ name, tags }: RunToCreate): string {
  const tagged = tags.findLast(({ key }) => key === runNameTag)?.value;
  if (name !== '' && tagged !== undefined && tagged !== name) {
    throw invalid(
      `Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='${name}', mlflow.runName='${tagged}').`,
    );
  }
  return tagValue(name || tagged || makeUpName());
}

function checkDatasetLink({ dataset, tags }: DatasetLink): void {
  checkLength('name', dataset.name, 500);
  checkLength('digest', dataset.digest, 36);
  checkLength('source', dataset.source, 65_535);
  checkLength('schema', dataset.schema ?? '', 1_048_575);
  checkLength('profile', dataset.profile ?? '', 16_777_215);
  for (const { key, value } of tags) {
    checkLength('key', key, 255);
    checkLength('value', value, 500);
  }
}

/** The tag is free for clients to write, so it may hold anything. */
function parseList(json: string): readonly unknown[] {
  const parsed = parseJsonOrNull(json);
  return Array.isArray(parsed) ? parsed : [];
}

function parseModel(json: string): object {
  const parsed = parseJsonOrNull(json);
  if (typeof parsed !== 'object' || parsed === null) {
    throw invalid(`Malformed model info. \n ${json} \n is not a valid JSON.`);
  }
  const missing = modelFields.filter((field) => !Object.hasOwn(parsed, field));
  if (missing.length === 0) return parsed;
  throw invalid(
    `Model json is missing mandatory fields: {${missing.map((field) => `'${field}'`).join(', ')}}`,
  );
}

/** What the description of a model that an MLflow 2 client logs must say. */
const modelFields = ['artifact_path', 'flavors', 'run_id', 'utc_time_created'];
