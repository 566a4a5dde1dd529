import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SlipwayError } from '../../../protocol/errors.ts';
import type { ImportOmission, ImportRecord } from '../../../protocol/importing.ts';
import type { ImportReader } from '../reader.ts';
import { settledAfter } from '../tracker/liveness.ts';
import { omission } from '../tracker/omission.ts';
import { createSessionMemory } from '../tracker/sessionMemory.ts';
import { pathBelow, statusOf } from '../tracker/sourceFiles.ts';
import { type ExperimentContext, type ExperimentRun, readExperiment } from './experimentRuns.ts';
import { type DvcFolder, type FoundRun, findDvcFolder, findRuns, isOfLive } from './foundRuns.ts';
import {
  countGitExperiments,
  listGitExperiments,
  mostExperiments,
  watchedOfExperiments,
} from './gitExperiments.ts';
import { historyFolder, metricsFile, parametersFile, projectRoot } from './liveFolder.ts';
import { watchedOfPipeline } from './pipelineRun.ts';
import type { RunIdentity } from './runIdentity.ts';

/** So many entries are looked at to say what there is. */
const mostLookedAt = 20_000;

/** The runs of each experiment that was read in a session: a commit does not change. */
const sessions = createSessionMemory<Map<string, readonly ExperimentRun[]>>();

/**
 * Reads what DVC and DVCLive left in a workspace: each folder of DVCLive is a run, and so are the metrics and parameters
 * that a `dvc.yaml` names, and the experiments that DVC keeps in Git.
 */
export const dvcReader: ImportReader = {
  kind: 'dvc',
  settledAfter,
  async detects(path) {
    const root = rootOf(path);
    if (!statusOf(root)?.isDirectory()) return null;
    const found = await findDvcFolder(root, mostLookedAt);
    const { folders, pipelines } = found;
    const withMetrics = pipelines.filter(({ metrics }) => metrics.some((file) => !isOfLive(folders, file)));
    const kept = projectsOf(found).reduce((count, project) => count + countGitExperiments(project), 0);
    const runCount = folders.length + withMetrics.length + kept;
    if (runCount === 0) return null;
    return { kind: 'dvc', path, experimentCount: 1, runCount, registeredModelCount: 0 };
  },
  async *read(path, { known, offsets }) {
    const root = rootOf(path);
    if (!statusOf(root)?.isDirectory()) {
      throw new SlipwayError('importUnreadable', { path, detail: 'there is no such folder' });
    }
    const found = await findDvcFolder(root);
    const experimentId = basename(projectRoot(root));
    yield {
      ...{ type: 'experiment', experimentId, name: experimentId, lifecycleStage: 'active' },
      ...{ creationTime: null, lastUpdateTime: null, tags: [] },
    };
    const { runs, omissions } = await findRuns({ root, experimentId, commit: null, known }, found);
    const ofExperiments: ExperimentRun[] = [];
    // Said in the end: what is said before a run would be taken for the run's.
    const problems: ImportRecord[] = [...omissions, ...found.problems];
    const read = sessions.of(offsets, 'experiments', () => new Map());
    for (const project of projectsOf(found)) {
      const context: ExperimentContext = {
        ...{ project, experimentId, known, workspace: runs, earlier: ofExperiments },
        found: (run) => ofExperiments.push(run),
        omit: (record) => problems.push(record),
      };
      yield* readExperiments(pathBelow(root, project) || basename(project), context, read);
    }
    for (const [index, run] of runs.entries()) {
      yield { type: 'progress', done: index, total: runs.length, message: run.path };
      const identity = identityOf(run, ofExperiments);
      if ('runId' in identity) yield* run.read(identity);
      else problems.push(identity);
    }
    yield* problems;
  },
  async watched(path) {
    const found = await findDvcFolder(rootOf(path));
    const ofFolders = found.folders.flatMap(({ folder, histories }) => [
      folder,
      join(folder, metricsFile),
      join(folder, parametersFile),
      join(folder, historyFolder),
      ...histories,
      ...histories.map((file) => dirname(file)),
    ]);
    const all = new Set([
      found.root,
      ...ofFolders,
      ...found.pipelines.flatMap(watchedOfPipeline),
      ...projectsOf(found).flatMap(watchedOfExperiments),
    ]);
    return [...all].filter((watched) => existsSync(watched));
  },
};

/** The folder of a path, which may be a file that DVC or DVCLive wrote. */
function rootOf(path: string): string {
  const isOwn = ['dvc.yaml', 'dvc.lock', metricsFile, parametersFile].includes(basename(path));
  return isOwn && statusOf(path)?.isFile() ? dirname(path) : path;
}

/** The projects of what was found, as far as they lie in it. */
function projectsOf({ root, folders, pipelines }: DvcFolder): readonly string[] {
  const within = [...folders, ...pipelines].map(({ folder }) => projectRoot(folder));
  return [...new Set([root, ...within])].filter((project) => !pathBelow(root, project).startsWith('..'));
}

/** @param read the runs of experiments that were read in this session. */
async function* readExperiments(
  subject: string,
  context: ExperimentContext,
  read: Map<string, readonly ExperimentRun[]>,
): AsyncIterable<ImportRecord> {
  const count = countGitExperiments(context.project);
  if (count === 0) return;
  const experiments = await listGitExperiments(context.project);
  const left = count - (experiments?.length ?? 0);
  if (experiments === null) {
    const detail = `experiments that DVC keeps in Git (${count}), because git could not list them`;
    context.omit(omission(subject, 'notSupported', { detail }));
  } else if (left > 0) {
    const detail = `experiments that DVC keeps in Git beyond the newest ${mostExperiments} (${left})`;
    context.omit(omission(subject, 'notSupported', { detail }));
  }
  for (const [index, experiment] of (experiments ?? []).entries()) {
    const key = `${experiment.commit} ${experiment.name}`;
    const before = read.get(key);
    if (before !== undefined) {
      before.forEach(context.found);
      continue;
    }
    yield { type: 'progress', done: index, total: experiments?.length ?? 0, message: experiment.name };
    const runs: ExperimentRun[] = [];
    yield* readExperiment(experiment, {
      ...context,
      found(run) {
        runs.push(run);
        context.found(run);
      },
    });
    if (runs.length > 0) read.set(key, runs);
  }
}

/** The workspace is mostly in the state of an experiment; it is that one's run then. */
function identityOf(run: FoundRun, ofExperiments: readonly ExperimentRun[]): RunIdentity | ImportOmission {
  const alike = ofExperiments.filter(({ contentId }) => contentId === run.runId);
  const [first] = alike;
  if (first === undefined) return { runId: run.runId, name: null, tags: [] };
  const digest = run.digest();
  const same = alike.find((other) => other.digest === digest);
  if (same !== undefined) return same.identity;
  const detail = `it began as the experiment ${first.identity.name} did; it is taken once DVC keeps it as an experiment, too`;
  return omission(run.path, 'notSupported', { detail });
}
