import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SlipwayError } from '../../../protocol/errors.ts';
import type { ImportRecord } from '../../../protocol/importing.ts';
import type { ImportReader } from '../reader.ts';
import { settledAfter } from '../tracker/liveness.ts';
import { omission } from '../tracker/omission.ts';
import { findSourceFiles, pathBelow, statusOf } from '../tracker/sourceFiles.ts';
import { countGitExperiments } from './gitExperiments.ts';
import {
  historyFolder,
  type LiveFolder,
  liveFolders,
  liveRunId,
  metricsFile,
  parametersFile,
  projectRoot,
} from './liveFolder.ts';
import { readLiveRun } from './liveRun.ts';
import { type Pipeline, readPipeline } from './pipeline.ts';
import { pipelineArtifacts, readPipelineRun, watchedOfPipeline } from './pipelineRun.ts';

/** So many entries are looked at to say what there is. */
const mostLookedAt = 20_000;

/**
 * Reads what DVC and DVCLive left in a workspace: each folder of DVCLive is a run, and so are the metrics and parameters that a
 * `dvc.yaml` names. Experiments that DVC keeps in Git are counted, not read.
 */
export const dvcReader: ImportReader = {
  kind: 'dvc',
  settledAfter,
  async detects(path) {
    if (!statusOf(rootOf(path))?.isDirectory()) return null;
    const { folders, pipelineFiles } = findAll(rootOf(path), mostLookedAt);
    const pipelines = await pipelinesOf(rootOf(path), pipelineFiles);
    const withMetrics = pipelines.filter(({ metrics }) => metrics.some((file) => !isOfLive(folders, file)));
    const runCount = folders.length + withMetrics.length;
    if (runCount === 0) return null;
    return { kind: 'dvc', path, experimentCount: 1, runCount, registeredModelCount: 0 };
  },
  async *read(path, { known }) {
    const root = rootOf(path);
    if (!statusOf(root)?.isDirectory()) {
      throw new SlipwayError('importUnreadable', { path, detail: 'there is no such folder' });
    }
    const { folders, pipelineFiles, outside } = findAll(root);
    const name = basename(projectRoot(root));
    yield {
      ...{ type: 'experiment', experimentId: name, name, lifecycleStage: 'active' },
      ...{ creationTime: null, lastUpdateTime: null, tags: [] },
    };
    const problems: ImportRecord[] = outside.map((link) => omission(pathBelow(root, link), 'leadsOutside'));
    const pipelines = await pipelinesOf(root, pipelineFiles, problems);
    const isTaken = (file: string) => isOfLive(folders, file);
    for (const [index, live] of folders.entries()) {
      yield { type: 'progress', done: index, total: folders.length, message: pathBelow(root, live.folder) };
      const runId = liveRunId(live);
      if (runId === null) continue;
      for await (const record of readLiveRun(root, name, live, runId, known)) {
        // What DVCLive made of it in `dvc.yaml` belongs to the run, too.
        if (record.type === 'part') yield* artifactsBeside(root, live, pipelines, runId, isTaken);
        yield record;
      }
    }
    for (const pipeline of pipelines) yield* readPipelineRun(root, name, pipeline, isTaken, known);
    yield* problems;
    yield* gitExperiments(root, [
      ...folders.map(({ folder }) => folder),
      ...pipelines.map(({ folder }) => folder),
    ]);
  },
  async watched(path) {
    const root = rootOf(path);
    const { folders, pipelineFiles } = findAll(root);
    const pipelines = await pipelinesOf(root, pipelineFiles);
    const ofFolders = folders.flatMap(({ folder, histories }) => [
      folder,
      join(folder, metricsFile),
      join(folder, parametersFile),
      join(folder, historyFolder),
      ...histories,
      ...histories.map((file) => dirname(file)),
    ]);
    const all = new Set([root, ...ofFolders, ...pipelines.flatMap(watchedOfPipeline)]);
    return [...all].filter((watched) => existsSync(watched));
  },
};

/** The folder of a path, which may be a file that DVC or DVCLive wrote. */
function rootOf(path: string): string {
  const isOwn = ['dvc.yaml', 'dvc.lock', metricsFile, parametersFile].includes(basename(path));
  return isOwn && statusOf(path)?.isFile() ? dirname(path) : path;
}

function findAll(
  root: string,
  most?: number,
): { folders: readonly LiveFolder[]; pipelineFiles: readonly string[]; outside: readonly string[] } {
  const isWanted = (name: string) => name === 'dvc.yaml' || name === metricsFile || name.endsWith('.tsv');
  const { files, outside } = findSourceFiles(root, isWanted, most);
  const paths = files.map(({ path }) => path);
  const folders = liveFolders(paths);
  return {
    folders,
    pipelineFiles: paths.filter((path) => basename(path) === 'dvc.yaml'),
    // A link to some other table is none of ours.
    outside: outside.filter((link) => !link.endsWith('.tsv') || isOfLive(folders, link)),
  };
}

/** @param problems where to note what cannot be followed. */
async function pipelinesOf(
  root: string,
  files: readonly string[],
  problems: ImportRecord[] = [],
): Promise<readonly Pipeline[]> {
  const pipelines: Pipeline[] = [];
  for (const file of files) {
    const subject = pathBelow(root, file);
    try {
      const pipeline = await readPipeline(file, root);
      pipelines.push(pipeline);
      for (const { what, why } of pipeline.problems) {
        if (why === 'leadsOutside') problems.push(omission(`${subject}/${what}`, 'leadsOutside'));
        else
          problems.push(omission(`${subject}/${what}`, 'notSupported', { detail: 'templates of dvc.yaml' }));
      }
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      problems.push(omission(subject, 'unreadable', { detail }));
    }
  }
  return pipelines;
}

function isOfLive(folders: readonly LiveFolder[], file: string): boolean {
  return folders.some(({ folder }) => file === folder || pathBelow(folder, file).split('/')[0] !== '..');
}

/** Models and plots that the one `dvc.yaml` names whose metrics are those of this folder alone. */
async function* artifactsBeside(
  root: string,
  live: LiveFolder,
  pipelines: readonly Pipeline[],
  runId: string,
  isTaken: (file: string) => boolean,
): AsyncIterable<ImportRecord> {
  for (const pipeline of pipelines) {
    const isItsOwn = pipeline.metrics.length > 0 && pipeline.metrics.every((file) => isOfLive([live], file));
    if (isItsOwn) yield* pipelineArtifacts(root, pipeline, runId, isTaken, pathBelow(root, pipeline.file));
  }
}

function* gitExperiments(root: string, folders: readonly string[]): Iterable<ImportRecord> {
  for (const project of new Set(folders.map(projectRoot))) {
    const count = pathBelow(root, project).startsWith('..') ? 0 : countGitExperiments(project);
    if (count === 0) continue;
    const detail = `experiments that DVC keeps in Git (${count}); apply one with dvc exp apply, then import again`;
    yield omission(pathBelow(root, project) || basename(project), 'notSupported', { detail });
  }
}
