import { SlipwayError } from '../../src/protocol/errors.ts';
import type { KeyValue } from '../../src/protocol/tracking.ts';
import type { TrackingEngine } from '../engine/trackingEngine.ts';
import { experiments, loggedModels, type Pairs, registered, runs } from './searchedData.ts';
import type { AskedSearch } from './searchQueries.ts';

/** Labels of what a search found, in order; or what it says against the search. */
export type Answer = { readonly found: readonly string[] } | { readonly error: string };

/** Logs all of `searchedData.ts` to our engine; gives what answers a search over it with labels. */
export async function fillEngine({
  tracking,
  registry,
}: TrackingEngine): Promise<(asked: AskedSearch) => Answer> {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 2));
  const pairs = (list: Pairs): readonly KeyValue[] => list.map(([key, value]) => ({ key, value }));
  const labels = new Map<string, string>();
  const labelOf = (id: string) => labels.get(id) ?? id;

  const experimentIds: string[] = [];
  for (const { name, tags } of experiments) {
    experimentIds.push(tracking.createExperiment({ name, tags: pairs(tags) }));
    await pause();
  }
  const [home = ''] = experimentIds;
  for (const { label, name, start, end, status, metrics, params, tags, datasets } of runs) {
    const { info } = tracking.createRun({
      experimentId: home,
      userId: 'ana',
      name,
      startTime: start,
      tags: pairs(tags),
    });
    labels.set(info.runId, label);
    tracking.logBatch(info.runId, {
      metrics: metrics.map(([key, value]) => ({ key, value, timestamp: 1, step: 0 })),
      parameters: pairs(params),
      tags: [],
    });
    for (const [dataset, digest, context] of datasets) {
      const contextTags = context === '' ? [] : [{ key: 'mlflow.data.context', value: context }];
      const source = { sourceType: 'local', source: 'x', schema: null, profile: null };
      tracking.logInputs(
        info.runId,
        [{ dataset: { name: dataset, digest, ...source }, tags: contextTags }],
        [],
      );
    }
    if (end !== null && (status === 'FINISHED' || status === 'FAILED' || status === 'KILLED'))
      tracking.updateRun(info.runId, { status, endTime: end });
  }
  for (const { label, type, params, tags, metrics } of loggedModels) {
    const { model } = tracking.createLoggedModel({
      experimentId: home,
      name: label,
      modelType: type,
      tags: pairs(tags),
      parameters: pairs(params),
    });
    labels.set(model.modelId, label);
    const { info } = tracking.createRun({
      experimentId: '0',
      userId: 'ana',
      name: 'made it',
      startTime: 1,
      tags: [],
    });
    for (const [key, value, step, datasetName, datasetDigest] of metrics) {
      const point = { key, value, step, timestamp: step, modelId: model.modelId, datasetName, datasetDigest };
      tracking.logBatch(info.runId, { metrics: [point], parameters: [], tags: [] });
    }
    await pause();
  }
  for (const { name, tags, versions } of registered) {
    registry.createModel(name, '', pairs(tags));
    await pause();
    for (const version of versions) {
      const nothing = { runId: null, modelId: null, runLink: '', description: '' };
      registry.createVersion({ name, source: version.source, tags: pairs(version.tags), ...nothing });
      await pause();
    }
  }

  const page = { maxResults: 1000, pageToken: '' };
  const search = ({ kind, filter, order, datasets }: AskedSearch): readonly string[] => {
    const asked = { filter, orderBy: order.map(String), ...page };
    const among = { viewType: 'ACTIVE_ONLY', experimentIds: [home] } as const;
    switch (kind) {
      case 'runs':
        return tracking.searchRuns({ ...asked, ...among }).items.map(({ info }) => labelOf(info.runId));
      case 'experiments':
        return tracking
          .searchExperiments({ ...asked, viewType: 'ACTIVE_ONLY' })
          .items.filter(({ experimentId }) => experimentId !== '0')
          .map(({ name }) => name);
      case 'loggedModels': {
        const orderBy = order.flatMap((entry) => {
          if (typeof entry === 'string') return [];
          const [field, ascending] = entry;
          return [{ field, ascending, datasetName: null, datasetDigest: null }];
        });
        const restrictions = datasets.map((name) => ({ name, digest: null }));
        return tracking
          .searchLoggedModels({ ...asked, orderBy, datasets: restrictions, experimentIds: [home] })
          .items.map(({ model }) => labelOf(model.modelId));
      }
      case 'registered':
        return registry.searchModels(asked).items.map(({ name }) => name);
      case 'versions':
        return registry.searchVersions(asked).items.map(({ name, version }) => `${name}/${version}`);
    }
  };
  return (asked) => {
    try {
      return { found: search(asked) };
    } catch (error) {
      if (error instanceof SlipwayError && error.category === 'invalid') return { error: error.message };
      throw error;
    }
  };
}
