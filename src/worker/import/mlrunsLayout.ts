import { createHash } from 'node:crypto';
import { lstatSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { type FlatYamlMap, parseFlatYaml } from './flatYaml.ts';
import { filesBelow, foldersIn, readText } from './keyedFiles.ts';

/** Names that MLflow's file store gives to files and folders (mlflow/store/tracking/file_store.py). */
export const metaFile = 'meta.yaml';
export const trashFolder = '.trash';
export const registryFolder = 'models';
/** Names that no run has: those beside the runs, and those in a run, where an experiment's folder is taken for a source. */
const reservedFolders: ReadonlySet<string> = new Set([
  ...['tags', 'datasets', 'traces', 'models', trashFolder],
  ...['metrics', 'params', 'artifacts', 'inputs', 'outputs'],
]);

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
 * The folders in an experiment that have a `meta.yaml` and are none that MLflow makes for something else: its runs.
 *
 * MLflow's server also wants `metrics`, `params` and `artifacts` beside the `meta.yaml`, because it looks for runs by their
 * id and gives out whatever files a planted one names. Here that does no harm: nothing is looked for among artifacts, a run's
 * `meta.yaml` must name the folder that it lies in, and files outside of the source are not read whatever it says. Git, on
 * the other hand, drops those folders where they are empty; MLflow's own migration (mlflow/store/fs2db) takes runs without
 * them too.
 */
export function runFolders(experiment: string): readonly string[] {
  return metaFolders(experiment).filter((folder) => !reservedFolders.has(nameOf(folder)));
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

/** Links are none. */
export function isFolder(path: string): boolean {
  return statusOf(path)?.isDirectory() ?? false;
}

/** Links are none. */
export function isFile(path: string): boolean {
  return statusOf(path)?.isFile() ?? false;
}

export function nameOf(folder: string): string {
  return basename(folder);
}
