import { join } from 'node:path';
import { findSourceFiles, statusOf } from '../tracker/sourceFiles.ts';
import { readSmallFile } from '../tracker/yamlFile.ts';
import { askProject } from './askProject.ts';

/** An experiment that DVC keeps in a project's Git repository: a commit that a ref below `refs/exps` names. */
export interface GitExperiment {
  readonly name: string;
  readonly commit: string;
  /** The commit that it began from. */
  readonly baseline: string;
  /** When it was kept, in UTC milliseconds. */
  readonly time: number;
}

/** So many experiments of a project are read, the newest. */
export const mostExperiments = 1000;
const refsLimit = 4 * 1024 * 1024;

/**
 * The experiments of a project, the oldest first; null when git cannot say. DVC calls their refs
 * `refs/exps/<2 digits>/<38 digits>/<name>`, after the commit that they began from.
 */
export async function listGitExperiments(project: string): Promise<readonly GitExperiment[] | null> {
  const format = '--format=%(objectname) %(committerdate:unix) %(refname)';
  const args = ['for-each-ref', '--sort=refname', '--sort=-committerdate', format, 'refs/exps'];
  const output = await askProject(args, { project, limit: refsLimit });
  if (output === null) return null;
  const lines = output.toString('utf8').split('\n');
  return lines
    .flatMap((line) => {
      const match = /^([0-9a-f]{40,64}) (\d+) refs\/exps\/([0-9a-f]{2})\/([0-9a-f]{38,62})\/(.+)$/.exec(line);
      const [, commit = '', time = '', first = '', rest = '', name = ''] = match ?? [];
      return match === null ? [] : [{ name, commit, baseline: first + rest, time: Number(time) * 1000 }];
    })
    .slice(0, mostExperiments)
    .reverse();
}

/** How many experiments there are, by the files of the repository alone. */
export function countGitExperiments(project: string): number {
  const refs = join(project, '.git', 'refs', 'exps');
  const loose = statusOf(refs)?.isDirectory()
    ? findSourceFiles(refs, () => true).files.map(({ path }) => path.slice(refs.length + 1))
    : [];
  const packed = readSmallFile(join(project, '.git', 'packed-refs')) ?? '';
  const names = [...packed.matchAll(/ refs\/exps\/(\S+)$/gm)].map(([, name = '']) => name);
  return new Set(
    [...loose.map((name) => name.replaceAll('\\', '/')), ...names].filter((name) => !isOwn(name)),
  ).size;
}

/** Refs that DVC keeps for itself. */
function isOwn(name: string): boolean {
  return /^(exec|celery|stash|apply|temp)\b/.test(name);
}

/** Files and folders whose change means that there may be another experiment. */
export function watchedOfExperiments(project: string): readonly string[] {
  const refs = join(project, '.git', 'refs');
  const exps = join(refs, 'exps');
  const folders = findFolders(exps);
  return [refs, exps, ...folders, join(project, '.git', 'packed-refs')];
}

function findFolders(refs: string): readonly string[] {
  if (!statusOf(refs)?.isDirectory()) return [];
  return [...new Set(findSourceFiles(refs, () => true).files.map(({ folder }) => folder))];
}
