import { basename } from 'node:path';
import type { ImportRecord } from '../../../protocol/importing.ts';
import type { KeyValue } from '../../../protocol/tracking.ts';
import { omission } from '../tracker/omission.ts';
import { findSourceFiles, pathBelow } from '../tracker/sourceFiles.ts';
import { type LiveFolder, liveDigest, liveFiles, liveFolders, liveRunId, metricsFile } from './liveFolder.ts';
import { readLiveRun } from './liveRun.ts';
import { type Pipeline, readPipeline } from './pipeline.ts';
import {
  findPipelineResult,
  pipelineArtifacts,
  pipelineFiles,
  pipelineParameters,
  readPipelineRun,
} from './pipelineRun.ts';
import type { RunIdentity, RunPlace } from './runIdentity.ts';

/** What DVC and DVCLive left in a folder. */
export interface DvcFolder {
  readonly root: string;
  readonly folders: readonly LiveFolder[];
  readonly pipelines: readonly Pipeline[];
  /** What cannot be followed. */
  readonly problems: readonly ImportRecord[];
}

/** A run in a folder. */
export interface FoundRun {
  /** Made from what it holds: the same wherever it lies. */
  readonly runId: string;
  /** Where it lies, below the root; empty for the root itself. */
  readonly path: string;
  /** The files that make it what it is, below the root. */
  readonly files: readonly string[];
  /** Tells it from another run that began alike. */
  digest(): string;
  read(identity: RunIdentity): AsyncIterable<ImportRecord>;
}

/** @param most how many entries are looked at. */
export async function findDvcFolder(root: string, most?: number): Promise<DvcFolder> {
  const isWanted = (name: string) => name === 'dvc.yaml' || name === metricsFile || name.endsWith('.tsv');
  const { files, outside } = findSourceFiles(root, isWanted, most);
  const paths = files.map(({ path }) => path);
  const folders = liveFolders(paths);
  const problems: ImportRecord[] = outside
    // A link to some other table is none of ours.
    .filter((link) => !link.endsWith('.tsv') || isOfLive(folders, link))
    .map((link) => omission(pathBelow(root, link), 'leadsOutside'));
  const pipelines: Pipeline[] = [];
  for (const file of paths.filter((path) => basename(path) === 'dvc.yaml')) {
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
  return { root, folders, pipelines, problems };
}

/** Whether a file lies in a folder of DVCLive. */
export function isOfLive(folders: readonly LiveFolder[], file: string): boolean {
  return folders.some(({ folder }) => file === folder || pathBelow(folder, file).split('/')[0] !== '..');
}

/** The runs of a folder, and what to say of pipelines that came to nothing. */
export async function findRuns(
  place: RunPlace,
  found: DvcFolder,
): Promise<{ readonly runs: readonly FoundRun[]; readonly omissions: readonly ImportRecord[] }> {
  const { root } = place;
  const { folders, pipelines } = found;
  const isTaken = (file: string) => isOfLive(folders, file);
  const runs: FoundRun[] = [];
  const omissions: ImportRecord[] = [];
  for (const live of folders) {
    const runId = liveRunId(live, place.commit === null);
    if (runId === null) continue;
    const ofIt = pipelines.filter((pipeline) => isOfFolderAlone(pipeline, live));
    runs.push({
      runId,
      path: pathBelow(root, live.folder),
      files: liveFiles(live).map((file) => pathBelow(root, file)),
      digest: () => liveDigest(live),
      async *read(identity) {
        const parameters: KeyValue[] = [];
        for (const pipeline of ofIt) parameters.push(...(await pipelineParameters(root, pipeline, isTaken)));
        for await (const record of readLiveRun(place, live, identity, parameters)) {
          if (record.type === 'part') {
            for (const pipeline of ofIt) {
              const subject = pathBelow(root, pipeline.file);
              yield* pipelineArtifacts(place, pipeline, identity.runId, isTaken, subject);
            }
          }
          yield record;
        }
      },
    });
  }
  for (const pipeline of pipelines) {
    const result = await findPipelineResult(place, pipeline, isTaken);
    if (!('runId' in result)) {
      omissions.push(...result);
      continue;
    }
    runs.push({
      runId: result.runId,
      path: pathBelow(root, pipeline.folder),
      files: pipelineFiles(result).map((file) => pathBelow(root, file)),
      digest: () => result.runId,
      read: (identity) => readPipelineRun(place, result, identity, isTaken),
    });
  }
  return { runs, omissions };
}

/**
 * Whether all metrics of a pipeline are those of this folder: what else it names, parameters, models and plots, then belongs
 * to the folder's run.
 */
function isOfFolderAlone({ metrics }: Pipeline, live: LiveFolder): boolean {
  return metrics.length > 0 && metrics.every((file) => isOfLive([live], file));
}
