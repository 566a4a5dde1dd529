import { statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { type Detail, detail } from '../../protocol/errorDetails.ts';

/** Where an interpreter may be found, the likeliest first. */
export interface InterpreterCandidates {
  /** What the person chose: a path, or a name on the search path; null when they chose none. */
  readonly chosen: string | null;
  /** The interpreter that the model's run recorded; null when it is not known. */
  readonly recorded: string | null;
}

export type FoundInterpreter = { readonly path: string } | { readonly missing: Detail };

/**
 * The interpreter to use: the one that was chosen, else the run's own when it is still there, else `python3` on the
 * search path. What was chosen but is not there is not replaced by another; `missing` says so in words.
 */
export function findInterpreter(
  { chosen, recorded }: InterpreterCandidates,
  environment: NodeJS.ProcessEnv,
): FoundInterpreter {
  if (chosen !== null) {
    const path = isAbsolute(chosen) ? existing(chosen) : onSearchPath([chosen], environment);
    return path === null ? { missing: detail('interpreterMissing', { python: chosen }) } : { path };
  }
  const path = (recorded && existing(recorded)) ?? onSearchPath(['python3', 'python'], environment);
  return path ? { path } : { missing: detail('noInterpreterFound') };
}

function onSearchPath(names: readonly string[], environment: NodeJS.ProcessEnv): string | null {
  const folders = (environment.PATH ?? environment.Path ?? '').split(delimiter).filter(isAbsolute);
  for (const name of names) {
    // A path that starts in some folder is no name.
    if (/[\\/]/.test(name)) return null;
    for (const folder of folders) {
      const path = existing(join(folder, name)) ?? existing(join(folder, `${name}.exe`));
      if (path !== null) return path;
    }
  }
  return null;
}

function existing(path: string): string | null {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? path : null;
}
