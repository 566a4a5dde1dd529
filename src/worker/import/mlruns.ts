import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ImportedExperiment, ImportRecord } from '../../protocol/importing.ts';
import type { LocationRules } from './artifactLocation.ts';
import { numberOf, textOf } from './flatYaml.ts';
import { foldersIn, readKeyedFiles } from './keyedFiles.ts';
import {
  almostRunFolders,
  type ExperimentFolder,
  experimentFolders,
  metaFile,
  metaFolders,
  nameOf,
  readMeta,
  registryFolder,
  runFolders,
  stateOf,
  statusOf,
  trashFolder,
} from './mlrunsLayout.ts';
import { readLoggedModel } from './mlrunsLoggedModel.ts';
import { readRegisteredModel, registeredModelFolders } from './mlrunsRegistry.ts';
import { omission, readRun } from './mlrunsRun.ts';
import { readTrace, traceFolders, watchedOfTraces } from './mlrunsTrace.ts';
import type { ImportReader, ReadOptions } from './reader.ts';

/** Reads the `mlruns` folder of MLflow's file store, of any version since 0.5. */
export const mlrunsReader: ImportReader = {
  kind: 'mlruns',
  async detects(path) {
    const root = [path, join(path, 'mlruns')].find((folder) => holdsExperiments(folder));
    if (root === undefined) return null;
    const experiments = experimentFolders(root);
    return {
      kind: 'mlruns',
      path: root,
      experimentCount: experiments.length,
      runCount: experiments.reduce((sum, { folder }) => sum + runFolders(folder).length, 0),
      registeredModelCount: registeredModelFolders(root).length,
    };
  },
  async *read(root, options) {
    if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
      throw new SlipwayError('importUnreadable', { path: root, detail: 'there is no such folder' });
    }
    const rules: LocationRules = {
      source: root,
      servedFrom: ['.', '../mlartifacts'],
      remaps: options.remaps,
    };
    const experiments = experimentFolders(root);
    const folders = experiments.map((experiment) => ({ experiment, runs: runFolders(experiment.folder) }));
    const total = folders.reduce((sum, { runs }) => sum + runs.length, 0);
    let done = 0;
    for (const { experiment, runs } of folders) {
      const name = yield* readExperiment(experiment);
      if (name === null) continue;
      for (const folder of runs) {
        done += 1;
        if (!isTouched(`run/${nameOf(folder)}`, folder, options)) continue;
        yield { type: 'progress', done, total, message: `${name}: ${nameOf(folder)}` };
        yield* readRunPart(experiment, folder, rules, options);
      }
      yield* readOthers(experiment, rules, options);
      yield* readTraces(experiment, rules, options);
    }
    for (const folder of registeredModelFolders(root))
      yield* readRegisteredModel(root, folder, options.known);
  },
  async watched(root) {
    const registry = join(root, registryFolder);
    return [
      root,
      join(root, trashFolder),
      ...experimentFolders(root).flatMap(({ folder }) => watchedOfExperiment(folder)),
      registry,
      ...foldersBelow(registry),
    ];
  },
};

/** Reads an experiment's own fields; gives its name, or null when they cannot be read. */
function* readExperiment(experiment: ExperimentFolder): Generator<ImportRecord, string | null> {
  const subject = `experiment ${experiment.id}`;
  const read = readMeta(experiment.folder);
  const name = 'meta' in read ? textOf(read.meta, 'name') : null;
  if ('problem' in read || !name) {
    const detail = 'problem' in read ? read.problem : 'it has no name';
    yield omission(`${subject}/meta.yaml`, 'unreadable', { detail });
    return null;
  }
  const tags = readKeyedFiles(join(experiment.folder, 'tags'), `${subject}/tags`);
  yield* tags.omissions;
  const deleted = experiment.inTrash || textOf(read.meta, 'lifecycle_stage') === 'deleted';
  const record: ImportedExperiment = {
    type: 'experiment',
    experimentId: experiment.id,
    name,
    lifecycleStage: deleted ? 'deleted' : 'active',
    creationTime: numberOf(read.meta, 'creation_time'),
    lastUpdateTime: numberOf(read.meta, 'last_update_time'),
    tags: tags.values,
  };
  yield record;
  return name;
}

async function* readRunPart(
  experiment: ExperimentFolder,
  folder: string,
  rules: LocationRules,
  { known, offsets, remaps }: ReadOptions,
): AsyncIterable<ImportRecord> {
  const key = `run/${nameOf(folder)}`;
  // Before it is read: what is written meanwhile makes the state another one the next time.
  const state = stateOf(folder) + markOf(remaps);
  if (known.get(key) === state) return;
  const reading = yield* readRun(experiment, folder, rules, offsets);
  if (reading?.complete) yield { type: 'part', key, state, runId: reading.runId };
}

/** Where artifacts are looked for is part of how a run looks. */
function markOf(remaps: ReadOptions['remaps']): string {
  if (remaps.length === 0) return '';
  return `:${createHash('sha256').update(JSON.stringify(remaps)).digest('base64url').slice(0, 8)}`;
}

/** Reads what lies beside the runs: logged models, and what is no run. */
async function* readOthers(
  experiment: ExperimentFolder,
  rules: LocationRules,
  { known, remaps }: ReadOptions,
): AsyncIterable<ImportRecord> {
  for (const folder of metaFolders(join(experiment.folder, 'models'))) {
    const key = `loggedModel/${nameOf(folder)}`;
    const state = stateOf(folder) + markOf(remaps);
    if (known.get(key) === state) continue;
    if (yield* readLoggedModel(experiment, folder, rules)) yield { type: 'part', key, state, runId: null };
  }
  for (const folder of almostRunFolders(experiment.folder)) {
    const detail = 'one of metrics, params and artifacts is not beside its meta.yaml';
    yield omission(`experiment ${experiment.id}/${nameOf(folder)}`, 'unreadable', { detail });
  }
}

async function* readTraces(
  experiment: ExperimentFolder,
  rules: LocationRules,
  options: ReadOptions,
): AsyncIterable<ImportRecord> {
  for (const folder of traceFolders(experiment.folder)) {
    const key = `trace/${nameOf(folder)}`;
    if (!isTouched(key, folder, options)) continue;
    const state = stateOf(folder) + markOf(options.remaps);
    if (options.known.get(key) === state) continue;
    if (yield* readTrace(experiment, folder, rules)) yield { type: 'part', key, state, runId: null };
  }
}

/** Whether something in the folder of a part may have changed since the last reading of the session. */
function isTouched(part: string, folder: string, { changed, known }: ReadOptions): boolean {
  if (changed === null || !known.has(part)) return true;
  for (const path of changed) if (path === folder || path.startsWith(folder + sep)) return true;
  return false;
}

/**
 * Of a run that has ended only what may still change: its fields and tags. Of one that trains all that may grow.
 */
function watchedOfExperiment(experiment: string): readonly string[] {
  const models = join(experiment, 'models');
  return [
    experiment,
    join(experiment, 'tags'),
    models,
    ...foldersIn(models).flatMap((name) => [join(models, name), ...foldersBelow(join(models, name))]),
    ...watchedOfTraces(experiment),
    ...runFolders(experiment).flatMap((folder) => {
      if (hasEnded(folder)) return [folder, join(folder, 'tags')];
      return [folder, ...foldersBelow(folder)];
    }),
  ];
}

/** When `meta.yaml` files that say that their run has ended were written, so that they need not be read again. */
const endedSince = new Map<string, number>();

function hasEnded(folder: string): boolean {
  const written = statusOf(join(folder, metaFile))?.mtimeMs;
  if (written !== undefined && endedSince.get(folder) === written) return true;
  const read = readMeta(folder);
  const runs =
    'problem' in read || ['1', '2', 'RUNNING', 'SCHEDULED'].includes(textOf(read.meta, 'status') ?? '1');
  if (!runs && written !== undefined) endedSince.set(folder, written);
  return !runs;
}

function foldersBelow(folder: string): readonly string[] {
  return foldersIn(folder).flatMap((name) => [join(folder, name), ...foldersBelow(join(folder, name))]);
}

/** Whether a folder is an `mlruns` folder, whatever it is called: experiments lie in it. */
function holdsExperiments(folder: string): boolean {
  return experimentFolders(folder).some(
    (experiment) => hasExperimentFields(experiment.folder) || runFolders(experiment.folder).length > 0,
  );
}

/** Tells an experiment's `meta.yaml` from the many others of this name. */
function hasExperimentFields(folder: string): boolean {
  const read = readMeta(folder);
  return (
    'meta' in read && textOf(read.meta, 'name') !== null && textOf(read.meta, 'artifact_location') !== null
  );
}
