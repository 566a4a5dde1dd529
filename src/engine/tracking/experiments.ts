import { resolve } from 'node:path';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import type { TrackingDependencies } from './dependencies.ts';
import {
  checkArtifactLocation,
  checkExperimentName,
  checkExperimentTag,
  experimentKey,
  invalid,
  notFound,
} from './limits.ts';
import { findActiveExperiment, findExperiment, stagesOf } from './lookup.ts';
import { pageOf, readPageToken } from './paging.ts';
import { experimentSearchRules, readFilter, readOrder } from './searchRules.ts';
import type { DatasetSummary, Experiment, Page, Search, ViewType } from './types.ts';

export interface ExperimentToCreate {
  readonly name: string;
  /** Absent: a folder of its own in the artifact store. */
  readonly artifactLocation?: string | undefined;
  readonly tags: readonly KeyValue[];
}

export interface Experiments {
  /** Gives the new id. Throws `alreadyExists` when the name is taken, by a deleted experiment too. */
  createExperiment(experiment: ExperimentToCreate): string;
  /** Throws `notFound`; a deleted one is found. */
  experiment(experimentId: string): Experiment;
  experimentByName(name: string): Experiment;
  searchExperiments(search: Search & { readonly viewType: ViewType }): Page<Experiment>;
  renameExperiment(experimentId: string, name: string): void;
  /** Deletes it and its runs; both can be restored. */
  deleteExperiment(experimentId: string): void;
  restoreExperiment(experimentId: string): void;
  setExperimentTag(experimentId: string, key: string, value: string): void;
  deleteExperimentTag(experimentId: string, key: string): void;
  /** The datasets that runs of these experiments have as inputs, up to 1000. */
  searchDatasets(experimentIds: readonly string[]): readonly DatasetSummary[];
}

const mostDatasets = 1000;

/** A URI as it stands, and a path as an absolute one. */
function absolute(location: string, folder: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(location) ? location : resolve(folder, location);
}

/** The rules of experiments. Their names are unique among all, deleted ones included. */
export function createExperiments(dependencies: TrackingDependencies): Experiments {
  const { store, artifacts, changes, transaction, clientFolder } = dependencies;

  const requireFreeName = (name: string) => {
    const holder = store.experiments.findByName(name);
    if (!holder) return;
    const where = holder.lifecycleStage === 'deleted' ? ' in deleted state' : '';
    const advice =
      where === '' ? '' : ' You can restore the experiment, or permanently delete it to create a new one.';
    throw new SlipwayError('alreadyExists', {
      detail: `Experiment(name=${name}) already exists${where}.${advice}`,
    });
  };
  const change = (
    experimentId: string,
    find: typeof findExperiment,
    work: (key: number, experiment: Experiment) => void,
  ) => {
    const experiment = transaction(() => {
      const found = find(dependencies, experimentId);
      work(Number(found.experimentId), found);
      return found;
    });
    changes.tracking(experiment.experimentId);
  };

  return {
    createExperiment({ name, artifactLocation, tags }) {
      checkExperimentName(name);
      if (artifactLocation) checkArtifactLocation(artifactLocation);
      for (const { key, value } of tags) checkExperimentTag(key, value);
      const experimentId = transaction(() => {
        requireFreeName(name);
        const key = store.experiments.insert(name, Date.now());
        const location = artifactLocation
          ? absolute(artifactLocation, clientFolder)
          : artifacts.locationOf(String(key));
        store.experiments.setArtifactLocation(key, location);
        for (const tag of tags) store.experiments.setTag(key, tag);
        return String(key);
      });
      changes.tracking(experimentId);
      return experimentId;
    },
    experiment: (experimentId) => findExperiment(dependencies, experimentId),
    experimentByName(name) {
      const experiment = store.experiments.findByName(name);
      if (experiment) return experiment;
      throw notFound(detail('noExperimentOfName', { name }));
    },
    searchExperiments({ filter, orderBy, maxResults, pageToken, viewType }) {
      const subject = ['experiments', filter, orderBy, viewType];
      const result = store.experiments.search(
        {
          comparisons: readFilter(filter, experimentSearchRules),
          order: readOrder(orderBy, experimentSearchRules),
          limit: maxResults,
          after: readPageToken(pageToken, subject),
        },
        stagesOf(viewType),
      );
      return pageOf(result, subject);
    },
    renameExperiment(experimentId, name) {
      checkExperimentName(name);
      change(experimentId, findExperiment, (key, experiment) => {
        if (experiment.lifecycleStage !== 'active') {
          throw invalid('Cannot rename a non-active experiment.');
        }
        if (experiment.name === name) return;
        requireFreeName(name);
        store.experiments.rename(key, name, Date.now());
      });
    },
    deleteExperiment(experimentId) {
      change(experimentId, findExperiment, (key, experiment) => {
        if (experiment.lifecycleStage === 'deleted') throw noSuchExperiment(experimentId);
        const now = Date.now();
        store.experiments.setStage(key, 'deleted', now);
        store.runs.setStageOfExperiment(key, 'deleted', now);
      });
    },
    restoreExperiment(experimentId) {
      change(experimentId, findExperiment, (key, experiment) => {
        if (experiment.lifecycleStage === 'active') throw noSuchExperiment(experimentId);
        store.experiments.setStage(key, 'active', Date.now());
        store.runs.setStageOfExperiment(key, 'active', null);
      });
    },
    setExperimentTag(experimentId, key, value) {
      checkExperimentTag(key, value);
      change(experimentId, findActiveExperiment, (experiment) => {
        store.experiments.setTag(experiment, { key, value });
        store.experiments.touch(experiment, Date.now());
      });
    },
    deleteExperimentTag(experimentId, key) {
      change(experimentId, findActiveExperiment, (experiment) => {
        if (!store.experiments.deleteTag(experiment, key)) {
          throw notFound(`No tag with name: ${key} in experiment with id ${experimentId}`);
        }
        store.experiments.touch(experiment, Date.now());
      });
    },
    searchDatasets: (experimentIds) =>
      store.experiments.datasets(experimentIds.map(experimentKey), mostDatasets),
  };
}

/** As MLflow has it: deleting looks among the active ones only, and restoring among the deleted ones. */
function noSuchExperiment(experimentId: string): SlipwayError {
  return notFound(detail('noExperiment', { experiment: experimentId }));
}
