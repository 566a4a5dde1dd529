/** Tags of runs that mean something to the store. */
import type { KeyValue } from '../../protocol/tracking.ts';
import { tagValue } from './limits.ts';
import type { TrackingStore } from './store.ts';

export const runNameTag = 'mlflow.runName';
export const parentRunTag = 'mlflow.parentRunId';
export const modelHistoryTag = 'mlflow.log-model.history';
export const datasetContextTag = 'mlflow.data.context';
export const modelVersionsTag = 'mlflow.modelVersions';

/** Writes a tag of a run: the name's tag renames it, the parent's tag puts it below another run. */
export function writeTag(store: TrackingStore, run: number, tag: KeyValue): void {
  const value = tagValue(tag.value);
  store.runs.setTag(run, { key: tag.key, value });
  if (tag.key === runNameTag) store.runs.rename(run, value);
  if (tag.key === parentRunTag) store.runs.setParent(run, value === '' ? null : value);
}
