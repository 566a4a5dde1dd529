import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ImportedExperiment, ImportRecord } from '../../protocol/importing.ts';
import { realpathOf } from './artifactFiles.ts';
import type { LocationRules } from './artifactLocation.ts';
import { numberOf, textOf } from './flatYaml.ts';
import { foldersIn, linksBelow, readKeyedFiles } from './keyedFiles.ts';
import {
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
import { readRun, runIdOf } from './mlrunsRun.ts';
import { readTrace, traceFolders, watchedOfTraces } from './mlrunsTrace.ts';
import type { ImportReader, ReadOptions } from './reader.ts';
import { omission } from './tracker/omission.ts';
import { pathBelow } from './tracker/sourceFiles.ts';

/** Reads the `mlruns` folder of MLflow's file store, of any version since 0.5. */
export const mlrunsReader: ImportReader = {
  kind: 'mlruns',
  async detects(path) {
    for (const found of [path, join(path, 'mlruns')]) {
      // It may be a link; in it, links are not followed.
      const root = await realpathOf(found);
      if (root === null || !holdsExperiments(root)) continue;
      const experiments = experimentFolders(root);
      return {
        kind: 'mlruns',
        path: found,
        experimentCount: experiments.length,
        runCount: experiments.reduce((sum, { folder }) => sum + runFolders(folder).length, 0),
        registeredModelCount: registeredModelFolders(root).length,
      };
    }
    return null;
  },
  async *read(root, options) {
    if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
      throw new SlipwayError('importUnreadable', { path: root, detail: 'there is no such folder' });
    }
    const rules: LocationRules = {
      source: root,
      // MLflow makes a run's own folder also where a server keeps its artifacts elsewhere.
      servedFrom: ['../mlartifacts', '.'],
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
        const part = { key: `run/${nameOf(folder)}`, folder, runId: nameOf(folder) };
        if (!isTouched(part, options)) continue;
        yield { type: 'progress', done, total, message: `${name}: ${nameOf(folder)}` };
        yield* readPart(part, options, () => readRun(experiment, folder, rules, options.offsets));
      }
      for (const folder of metaFolders(join(experiment.folder, 'models'))) {
        const part = { key: `loggedModel/${nameOf(folder)}`, folder };
        yield* readPart(part, options, () => readLoggedModel(experiment, folder, rules));
      }
      for (const folder of traceFolders(experiment.folder)) {
        const part = { key: `trace/${nameOf(folder)}`, folder };
        yield* readPart(part, options, () => readTrace(experiment, folder, rules));
      }
    }
    for (const folder of registeredModelFolders(root)) {
      const part = { key: `registered/${nameOf(folder)}`, folder };
      yield* readPart(part, options, () => readRegisteredModel(root, folder));
    }
    if (options.changed === null) yield* omittedLinks(root, experiments);
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

/** A folder that is read as a whole, or not at all. */
interface PartFolder {
  readonly key: string;
  readonly folder: string;
  /** When it is a run. */
  readonly runId?: string;
}

/** Reads a part unless it looks as it did; `read` returns whether all of it was there to be read. */
async function* readPart(
  part: PartFolder,
  options: ReadOptions,
  read: () => AsyncGenerator<ImportRecord, boolean> | Generator<ImportRecord, boolean>,
): AsyncIterable<ImportRecord> {
  const { key, folder, runId = null } = part;
  if (!isTouched(part, options)) return;
  // Before it is read: what is written meanwhile makes the state another one the next time.
  const state = stateOf(folder) + markOf(options.remaps);
  if (options.known.get(key) === state) return;
  if (yield* read()) yield { type: 'part', key, state, runId };
}

/** Where artifacts are looked for is part of how a part looks. */
function markOf(remaps: ReadOptions['remaps']): string {
  if (remaps.length === 0) return '';
  return `:${createHash('sha256').update(JSON.stringify(remaps)).digest('base64url').slice(0, 8)}`;
}

/** Says which links were not followed; those among artifacts are told with these. */
function* omittedLinks(root: string, experiments: readonly ExperimentFolder[]): Iterable<ImportRecord> {
  const folders = [...experiments.map(({ folder }) => folder), join(root, registryFolder)];
  for (const folder of folders) {
    for (const link of linksBelow(folder, 'artifacts')) {
      const detail = 'it is a link, and links are followed among artifacts only';
      yield omission(`${pathBelow(root, folder)}/${link}`, 'unreadable', { detail });
    }
  }
}

/** Whether something in the folder of a part may have changed since the last reading of the session. */
function isTouched({ key, folder }: PartFolder, { changed, known }: ReadOptions): boolean {
  if (changed === null || !known.has(key)) return true;
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
    (experiment) =>
      hasExperimentFields(experiment.folder) ||
      runFolders(experiment.folder).some((run) => hasRunFields(run)),
  );
}

/** Tells an experiment's `meta.yaml` from the many others of this name. */
function hasExperimentFields(folder: string): boolean {
  const read = readMeta(folder);
  return (
    'meta' in read && textOf(read.meta, 'name') !== null && textOf(read.meta, 'artifact_location') !== null
  );
}

function hasRunFields(folder: string): boolean {
  const read = readMeta(folder);
  return 'meta' in read && runIdOf(read.meta) === nameOf(folder);
}
