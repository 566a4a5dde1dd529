import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { ImportRecord } from '../../../protocol/importing.ts';
import { stableId } from '../reader.ts';
import { omission } from '../tracker/omission.ts';
import { pathBelow } from '../tracker/sourceFiles.ts';
import { type DvcFolder, type FoundRun, findDvcFolder, findRuns } from './foundRuns.ts';
import type { GitExperiment } from './gitExperiments.ts';
import { listTree, type TreeFile, writeTreeFiles } from './gitTree.ts';
import { historyFolder, metricsFile, parametersFile } from './liveFolder.ts';
import type { RunIdentity } from './runIdentity.ts';

/** A run of an experiment, by which the workspace's is known to be the same one. */
export interface ExperimentRun {
  readonly identity: RunIdentity;
  /** As `FoundRun` has them. */
  readonly contentId: string;
  readonly digest: string;
}

/** What reading the experiments of a project goes by. */
export interface ExperimentContext {
  readonly project: string;
  readonly experimentId: string;
  readonly known: ReadonlyMap<string, string>;
  /** The runs of the workspace, which has more of them than Git. */
  readonly workspace: readonly FoundRun[];
  /** The runs of experiments that were read before. */
  readonly earlier: readonly ExperimentRun[];
  /** Adds a run to those. */
  found(run: ExperimentRun): void;
  /** What to say of the source that belongs to none of its runs. */
  omit(omission: ImportRecord): void;
}

/**
 * Reads an experiment that DVC keeps in Git: a commit with all of the project, of which a run is what is not as it was
 * in the commit that the experiment began from. Its small files are written to a folder of their own and read there as a
 * workspace is; the workspace, the index and the repository stay as they are.
 */
export async function* readExperiment(
  experiment: GitExperiment,
  context: ExperimentContext,
): AsyncIterable<ImportRecord> {
  const { project, experimentId, known } = context;
  const subject = `experiment ${experiment.name}`;
  const tree = await listTree(project, experiment.commit);
  if (tree === null) {
    context.omit(omission(subject, 'unreadable', { detail: 'git cannot read its commit' }));
    return;
  }
  const before = new Map(
    (await listTree(project, experiment.baseline))?.map(({ path, object }) => [path, object]),
  );
  const changed = new Set(
    tree.filter(({ path, object }) => before.get(path) !== object).map(({ path }) => path),
  );
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-experiment-')));
  try {
    const found = await writeProject(project, experiment, tree, root);
    if (found === null) {
      context.omit(omission(subject, 'unreadable', { detail: 'git cannot read its files' }));
      return;
    }
    const { runs, omissions } = await findRuns(
      { root, experimentId, commit: experiment.commit, known },
      found,
    );
    const own = runs.filter(({ files }) => files.some((file) => changed.has(file)));
    const chosen = own.length > 0 ? own : runs;
    if (chosen.length === 0) {
      const nothing = omission('metrics', 'filesMissing', { location: 'the commit' });
      for (const record of [...found.problems, ...omissions, nothing]) context.omit(below(subject, record));
    }
    for (const run of chosen) {
      const name = chosen.length === 1 ? experiment.name : `${experiment.name}/${run.path}`;
      yield* readRun(run, name, experiment, context);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function* readRun(
  run: FoundRun,
  name: string,
  { commit, baseline, name: experiment }: GitExperiment,
  { workspace, earlier, found }: ExperimentContext,
): AsyncIterable<ImportRecord> {
  const isTaken = earlier.some(({ contentId }) => contentId === run.runId);
  const digest = run.digest();
  const identity: RunIdentity = {
    // Of two that began alike, the second is known by its commit.
    runId: isTaken ? stableId('dvc experiment', run.runId, commit) : run.runId,
    name,
    tags: [
      { key: 'mlflow.source.git.commit', value: commit },
      { key: 'dvc.experiment.baseline', value: baseline },
    ],
  };
  const isOfWorkspace =
    !earlier.some((other) => other.contentId === run.runId && other.digest === digest) &&
    workspace.some((other) => other.runId === run.runId && other.digest() === digest);
  found({ identity, contentId: run.runId, digest });
  if (isOfWorkspace) return;
  for await (const record of run.read(identity)) {
    // The files are gone before they would be copied.
    if (record.type === 'artifact') {
      const { owner, path, file } = record;
      yield { type: 'artifactContent', owner, path, content: new Uint8Array(readFileSync(file)) };
    } else yield below(`experiment ${experiment}`, record);
  }
}

function below(subject: string, record: ImportRecord): ImportRecord {
  return record.type === 'omission' ? { ...record, subject: `${subject}/${record.subject}` } : record;
}

/** Writes what runs are read from, and what these name. Null when git cannot give it. */
async function writeProject(
  project: string,
  { time }: GitExperiment,
  tree: readonly TreeFile[],
  root: string,
): Promise<DvcFolder | null> {
  // Where a project begins; its own settings need not be kept in Git.
  mkdirSync(join(root, '.dvc'));
  const describing = tree.filter(({ path }) => isDescribing(path));
  const left = await writeTreeFiles(project, describing, root, time);
  if (left === null) return null;
  const found = await findDvcFolder(root);
  const named = [
    ...found.folders.map(({ folder }) => folder),
    ...found.pipelines.flatMap(({ parameters, metrics, artifacts }) => [
      ...parameters.keys(),
      ...metrics,
      ...artifacts,
    ]),
  ].map((path) => pathBelow(root, path));
  const others = tree.filter(
    ({ path }) =>
      !isDescribing(path) &&
      named.some((name) => name === '' || path === name || path.startsWith(`${name}/`)),
  );
  const leftToo = await writeTreeFiles(project, others, root, time);
  if (leftToo === null) return null;
  return { ...found, problems: [...found.problems, ...left, ...leftToo] };
}

/** Whether a file says what runs there are. */
function isDescribing(path: string): boolean {
  const name = basename(path);
  return (
    ['dvc.yaml', 'dvc.lock', metricsFile, parametersFile].includes(name) ||
    (name.endsWith('.tsv') && path.includes(`${historyFolder}/`)) ||
    // Where a project begins, below the repository's root.
    /(^|\/)\.dvc\/(config|\.gitignore)$/.test(path)
  );
}
