import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ArtifactOwner, ImportedModelVersion, ImportRecord } from '../../protocol/importing.ts';
import { stages } from '../../protocol/registry.ts';
import { type FlatYamlMap, numberOf, textOf } from './flatYaml.ts';
import { foldersIn, readKeyedFiles } from './keyedFiles.ts';
import { isFile, metaFile, metaFolders, nameOf, readMeta, registryFolder } from './mlrunsLayout.ts';
import { omission } from './tracker/omission.ts';

/** Registered models of an `mlruns` folder: folders below `models` whose `meta.yaml` has a name. */
export function registeredModelFolders(root: string): readonly string[] {
  return metaFolders(join(root, registryFolder));
}

/** Yields a registered model with its versions. Returns false when its `meta.yaml` cannot be read. */
export function* readRegisteredModel(root: string, folder: string): Generator<ImportRecord, boolean> {
  const subject = `registered model ${nameOf(folder)}`;
  const read = readMeta(folder);
  if ('problem' in read) {
    yield omission(`${subject}/meta.yaml`, 'unreadable', { detail: read.problem });
    return false;
  }
  const { meta } = read;
  const name = textOf(meta, 'name') ?? nameOf(folder);
  const tags = readKeyedFiles(join(folder, 'tags'), `${subject}/tags`);
  const aliases = readKeyedFiles(join(folder, 'aliases'), `${subject}/aliases`);
  yield* tags.omissions;
  yield* aliases.omissions;
  const creationTime = numberOf(meta, 'creation_timestamp') ?? 0;
  yield {
    type: 'registeredModel',
    name,
    description: textOf(meta, 'description') ?? '',
    creationTime,
    lastUpdateTime: numberOf(meta, 'last_updated_timestamp') ?? creationTime,
    tags: tags.values,
  };
  for (const version of versionsIn(folder)) {
    yield* readVersion(root, name, subject, version);
  }
  yield {
    type: 'modelAliases',
    name,
    aliases: aliases.values.map(({ key, value }) => ({ alias: key, version: Number(value.trim()) })),
  };
  return true;
}

interface VersionFolder {
  readonly number: number;
  readonly folder: string;
}

function versionsIn(folder: string): readonly VersionFolder[] {
  return foldersIn(folder)
    .flatMap((name) => {
      const number = /^version-(\d+)$/.exec(name)?.[1];
      return number === undefined ? [] : [{ number: Number(number), folder: join(folder, name) }];
    })
    .filter((version) => isFile(join(version.folder, metaFile)))
    .sort((one, other) => one.number - other.number);
}

function* readVersion(
  root: string,
  name: string,
  modelSubject: string,
  { number, folder }: VersionFolder,
): Iterable<ImportRecord> {
  const subject = `${modelSubject}/version-${number}`;
  const read = readMeta(folder);
  if ('problem' in read) {
    yield omission(`${subject}/meta.yaml`, 'unreadable', { detail: read.problem });
    return;
  }
  const { meta } = read;
  const tags = readKeyedFiles(join(folder, 'tags'), `${subject}/tags`);
  yield* tags.omissions;
  const creationTime = numberOf(meta, 'creation_timestamp') ?? 0;
  const stage = textOf(meta, 'current_stage') ?? 'None';
  yield {
    type: 'modelVersion',
    name,
    version: number,
    deleted: stage === 'Deleted_Internal',
    stage: stages.find((known) => known === stage) ?? 'None',
    description: textOf(meta, 'description') ?? '',
    userId: textOf(meta, 'user_id') ?? '',
    source: textOf(meta, 'source') ?? '',
    files: filesOf(root, meta),
    runId: textOf(meta, 'run_id') || null,
    runLink: textOf(meta, 'run_link') ?? '',
    modelId: textOf(meta, 'model_id') || null,
    status: readVersionStatus(textOf(meta, 'status')),
    statusMessage: textOf(meta, 'status_message') ?? '',
    creationTime,
    lastUpdateTime: numberOf(meta, 'last_updated_timestamp') ?? creationTime,
    tags: tags.values,
  };
}

/** The run's or logged model's artifacts of this `mlruns` folder in which a version's files lie. */
function filesOf(root: string, meta: FlatYamlMap): ImportedModelVersion['files'] {
  const location = textOf(meta, 'storage_location') || textOf(meta, 'source') || '';
  const segments = location.split(/[/\\]/).filter((segment) => segment !== '');
  const at = segments.indexOf('artifacts', 2);
  const [above, id] = segments.slice(at - 2, at);
  if (at < 2 || above === undefined || id === undefined || segments.includes('..')) return null;
  const experiment = above === 'models' ? segments[at - 3] : above;
  const owner: ArtifactOwner = { type: above === 'models' ? 'loggedModel' : 'run', id };
  const folder = owner.type === 'run' ? [id] : ['models', id];
  if (experiment === undefined || !existsSync(join(root, experiment, ...folder, metaFile))) return null;
  return { owner, path: segments.slice(at + 1).join('/') };
}

export function readVersionStatus(status: string | null): ImportedModelVersion['status'] {
  if (status === 'PENDING_REGISTRATION' || status === 'FAILED_REGISTRATION') return status;
  return 'READY';
}
