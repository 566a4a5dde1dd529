import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isInside, realpathOf } from '../artifactFiles.ts';
import { isObject } from '../tracker/nestedValues.ts';
import { readYamlTexts } from '../tracker/yamlFile.ts';

/** What a `dvc.yaml` names, of what a run has. Paths are absolute and lie in the project. */
export interface Pipeline {
  readonly file: string;
  readonly folder: string;
  /** Files of parameters, and of each the keys that count; all of them when there are none. */
  readonly parameters: ReadonlyMap<string, readonly string[]>;
  readonly metrics: readonly string[];
  /** Files and folders that are kept as artifacts: plots and models. */
  readonly artifacts: readonly string[];
  /** What it names that cannot be followed, and why. */
  readonly problems: readonly { readonly what: string; readonly why: 'leadsOutside' | 'template' }[];
}

/** What a `dvc.lock` says about the last run of the pipeline. */
export interface Lock {
  /** Parameters with which the stages ran, by file and key. */
  readonly parameters: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  /** MD5 digests of what they made, by absolute path. */
  readonly digests: ReadonlyMap<string, string>;
}

/** @throws Error with the reason when the file cannot be read. */
export async function readPipeline(file: string, root: string): Promise<Pipeline> {
  const folder = dirname(file);
  const parameters = new Map<string, string[]>();
  const metrics = new Set<string>();
  const artifacts = new Set<string>();
  const problems: { what: string; why: 'leadsOutside' | 'template' }[] = [];
  const realRoot = (await realpathOf(root)) ?? root;

  const resolve = async (path: string, base: string): Promise<string | null> => {
    if (path.includes('${')) {
      problems.push({ what: path, why: 'template' });
      return null;
    }
    const absolute = normalize(join(base, path));
    const real = await realpathOf(absolute);
    if (isInside(absolute, root) && (real === null || isInside(real, realRoot))) return absolute;
    problems.push({ what: path, why: 'leadsOutside' });
    return null;
  };
  const takeParameters = async (list: unknown, base: string) => {
    for (const entry of listOf(list)) {
      // A text is a key of the usual file, at the top level a file; a map has a file and its keys.
      const files = isObject(entry) ? Object.entries(entry) : [];
      for (const [path, keys] of files) {
        const absolute = await resolve(path, base);
        if (absolute !== null) add(parameters, absolute, listOf(keys).flatMap(textOf));
      }
    }
  };
  const takePaths = async (list: unknown, base: string, into: Set<string>) => {
    for (const path of pathsOf(list)) {
      const absolute = await resolve(path, base);
      if (absolute !== null) into.add(absolute);
    }
  };

  const content = readYamlTexts(file);
  if (!isObject(content)) throw new Error('it is no map of keys and values');
  for (const path of listOf(content.params).flatMap(textOf)) {
    const absolute = await resolve(path, folder);
    if (absolute !== null) add(parameters, absolute, []);
  }
  await takeParameters(content.params, folder);
  await takePaths(content.metrics, folder, metrics);
  await takePaths(content.plots, folder, artifacts);
  for (const artifact of isObject(content.artifacts) ? Object.values(content.artifacts) : []) {
    if (isObject(artifact)) await takePaths([artifact.path], folder, artifacts);
  }
  for (const [name, stage] of isObject(content.stages) ? Object.entries(content.stages) : []) {
    if (!isObject(stage)) continue;
    if ('foreach' in stage || 'matrix' in stage) {
      problems.push({ what: `stage ${name}`, why: 'template' });
      continue;
    }
    const base = typeof stage.wdir === 'string' ? await resolve(stage.wdir, folder) : folder;
    if (base === null) continue;
    await takeParameters(stage.params, base);
    const usual = listOf(stage.params).flatMap(textOf);
    if (usual.length > 0) add(parameters, join(base, 'params.yaml'), usual);
    await takePaths(stage.metrics, base, metrics);
    await takePaths(stage.plots, base, artifacts);
  }
  return { file, folder, parameters, metrics: [...metrics], artifacts: [...artifacts], problems };
}

/** Null when the pipeline never ran. @throws Error with the reason when the file cannot be read. */
export function readLock(folder: string): Lock | null {
  const content = readYamlTexts(join(folder, 'dvc.lock'));
  if (!isObject(content)) return null;
  const parameters = new Map<string, Map<string, unknown>>();
  const digests = new Map<string, string>();
  // The first version of the format has the stages at the top.
  const stages = isObject(content.stages) ? content.stages : content;
  for (const stage of Object.values(stages)) {
    if (!isObject(stage)) continue;
    for (const [path, values] of isObject(stage.params) ? Object.entries(stage.params) : []) {
      const known = parameters.get(path) ?? new Map<string, unknown>();
      for (const [key, value] of isObject(values) ? Object.entries(values) : []) known.set(key, value);
      parameters.set(path, known);
    }
    for (const out of listOf(stage.outs)) {
      if (isObject(out) && typeof out.path === 'string' && typeof out.md5 === 'string') {
        digests.set(normalize(join(folder, out.path)), out.md5);
      }
    }
  }
  return { parameters, digests };
}

/** The MD5 digest of a file, as DVC makes it. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function add(files: Map<string, string[]>, file: string, keys: readonly string[]): void {
  files.set(file, [...(files.get(file) ?? []), ...keys]);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): readonly string[] {
  return typeof value === 'string' ? [value] : [];
}

/** Paths in a list of which each entry is a path, or a map from paths to what is special about them. */
function pathsOf(list: unknown): readonly string[] {
  const entries = isObject(list) ? [list] : listOf(list);
  return entries.flatMap((entry) => (isObject(entry) ? Object.keys(entry) : textOf(entry)));
}
