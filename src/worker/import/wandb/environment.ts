import { readTextField, textOf, visitFields } from '../tracker/protobuf.ts';

/** The repository that a script was run from; empty texts when not known. */
export interface Git {
  readonly remote: string;
  readonly commit: string;
}

/** A `GitRepoRecord`. */
export function readGit(message: Uint8Array): Git {
  return { remote: readTextField(message, 1), commit: readTextField(message, 2) };
}

/** An `EnvironmentRecord`: only the fields that were set in it. */
export function readEnvironment(message: Uint8Array): ReadonlyMap<EnvironmentField, string> {
  const found = new Map<EnvironmentField, string>();
  const parts: string[] = [];
  visitFields(message, (field) => {
    const name = environmentFields[field.number];
    if (field.number === 5) parts.push(textOf(field));
    else if (field.number === 9) {
      const { remote, commit } = readGit(field.content);
      if (remote !== '') found.set('git.remote', remote);
      if (commit !== '') found.set('git.commit', commit);
    } else if (name !== undefined) found.set(name, field.isVarint ? String(field.integer) : textOf(field));
  });
  if (parts.length > 0) found.set('args', JSON.stringify(parts));
  return found;
}

export type EnvironmentField =
  | 'os'
  | 'python'
  | 'docker'
  | 'args'
  | 'program'
  | 'codePath'
  | 'git.remote'
  | 'git.commit'
  | 'email'
  | 'host'
  | 'username'
  | 'executable'
  | 'cpu_count'
  | 'gpu'
  | 'gpu_count';

const environmentFields: Readonly<Record<number, EnvironmentField>> = {
  1: 'os',
  2: 'python',
  4: 'docker',
  6: 'program',
  7: 'codePath',
  10: 'email',
  12: 'host',
  13: 'username',
  14: 'executable',
  16: 'cpu_count',
  18: 'gpu',
  19: 'gpu_count',
};
