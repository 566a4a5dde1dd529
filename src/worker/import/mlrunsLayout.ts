import { createHash } from 'node:crypto';
import { lstatSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { type FlatYamlMap, parseFlatYaml } from './flatYaml.ts';
import { filesBelow, foldersIn, readText } from './keyedFiles.ts';

/** Names that MLflow's file store gives to files and folders (mlflow/store/tracking/file_store.py). */
export const metaFile = 'meta.yaml';
export const trashFolder = '.trash';
export const registryFolder = 'models';
const reservedFolders: ReadonlySet<string> = new Set(['tags', 'datasets', 'traces', 'models', trashFolder]);

const largestMetaBytes = 4 * 1024 * 1024;

/** An experiment's folder. */
export interface ExperimentFolder {
  /** The folder's name, which is the experiment's id. */
  readonly id: string;
  readonly folder: string;
  readonly inTrash: boolean;
}

/** The experiments of an `mlruns` folder, those in its trash last. A folder without `meta.yaml` is none. */
export function experimentFolders(root: string): readonly ExperimentFolder[] {
  const within = (parent: string, inTrash: boolean) =>
    foldersIn(parent)
      .filter((name) => name !== trashFolder && (inTrash || name !== registryFolder))
      .map((id) => ({ id, folder: join(parent, id), inTrash }))
      .filter(({ folder }) => isFile(join(folder, metaFile)));
  return [...within(root, false), ...within(join(root, trashFolder), true)];
}

/**
 * The runs of an experiment. As in MLflow, a folder is a run only when `metrics`, `params` and `artifacts` lie beside its
 * `meta.yaml`: a `meta.yaml` that somebody logged as an artifact must not be taken for a run.
 */
export function runFolders(experiment: string): readonly string[] {
  return foldersIn(experiment)
    .filter((name) => !reservedFolders.has(name))
    .map((name) => join(experiment, name))
    .filter(isRunFolder);
}

/** Folders that have a `meta.yaml` and are no runs all the same. */
export function almostRunFolders(experiment: string): readonly string[] {
  return foldersIn(experiment)
    .filter((name) => !reservedFolders.has(name))
    .map((name) => join(experiment, name))
    .filter((folder) => isFile(join(folder, metaFile)) && !isRunFolder(folder));
}

export function isRunFolder(folder: string): boolean {
  return (
    isFile(join(folder, metaFile)) &&
    ['metrics', 'params', 'artifacts'].every((name) => statusOf(join(folder, name))?.isDirectory())
  );
}

/** Folders in `parent` that have a `meta.yaml`. */
export function metaFolders(parent: string): readonly string[] {
  return foldersIn(parent)
    .map((name) => join(parent, name))
    .filter((folder) => isFile(join(folder, metaFile)));
}

/** The `meta.yaml` of a folder, or why it cannot be read. */
export function readMeta(
  folder: string,
  file = metaFile,
): { readonly meta: FlatYamlMap } | { readonly problem: string } {
  const read = readText(join(folder, file), largestMetaBytes);
  if ('problem' in read) return read;
  try {
    return { meta: parseFlatYaml(read.text) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** What all files below a folder look like: changes when one is added, removed, or written. */
export function stateOf(folder: string): string {
  const hash = createHash('sha256');
  for (const path of filesBelow(folder)) {
    const found = statusOf(join(folder, path));
    if (found) hash.update(`${path}\0${found.size}\0${found.mtimeMs}\n`);
  }
  return hash.digest('base64url').slice(0, 22);
}

/** Links are not followed. */
export function statusOf(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

export function isFile(path: string): boolean {
  return statusOf(path)?.isFile() ?? false;
}

export function nameOf(folder: string): string {
  return basename(folder);
}
