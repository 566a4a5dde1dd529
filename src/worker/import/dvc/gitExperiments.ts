import { join } from 'node:path';
import { findSourceFiles, statusOf } from '../tracker/sourceFiles.ts';
import { readSmallFile } from '../tracker/yamlFile.ts';

/**
 * How many experiments DVC keeps in a project's Git repository, as refs below `refs/exps`. They are commits, which are not
 * taken apart here.
 */
export function countGitExperiments(project: string): number {
  const refs = join(project, '.git', 'refs', 'exps');
  const loose = statusOf(refs)?.isDirectory()
    ? findSourceFiles(refs, () => true).files.filter(({ path }) => !isOwn(path.slice(refs.length + 1))).length
    : 0;
  const packed = readSmallFile(join(project, '.git', 'packed-refs')) ?? '';
  const names = [...packed.matchAll(/ refs\/exps\/(\S+)$/gm)].map(([, name = '']) => name);
  return loose + names.filter((name) => !isOwn(name)).length;
}

/** Refs that DVC keeps for itself. */
function isOwn(name: string): boolean {
  return /^(exec|celery|stash|apply|temp)\b/.test(name);
}
