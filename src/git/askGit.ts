import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';

export interface GitOptions {
  /** The folder that git works in, which need not be the root of its repository. */
  readonly folder: string;
  /** How many bytes of its output are taken. */
  readonly limit: number;
  /** How many milliseconds it may take: a repository can be so large, or lie so far away, that git takes minutes. */
  readonly patience: number;
  /** Ends git. */
  readonly signal?: AbortSignal;
  /** What it reads; empty unless said. */
  readonly input?: string;
  /** Whether a repository that begins above the folder is none. */
  readonly isRoot?: boolean;
}

export interface GitOutput {
  readonly bytes: Buffer;
  /** False: git had more to say than the limit. */
  readonly complete: boolean;
}

/**
 * Asks the person's own git something, so that nothing changes: it takes no lock, asks the person nothing, watches no
 * files, fetches nothing and runs nothing that the repository names. Null when there is no git, it takes too long, or it
 * fails, as it does outside of repositories.
 */
export function askGit(args: readonly string[], options: GitOptions): Promise<GitOutput | null> {
  const { folder, limit, patience, signal, input = '' } = options;
  const timeout = AbortSignal.timeout(patience);
  // Not started in that folder: Windows would take a git.exe that lies there.
  const child = spawn('git', ['-C', folder, ...quietSettings, ...args], {
    cwd: tmpdir(),
    env: environment(options),
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (piece: Buffer) => {
      if (size > limit) return;
      pieces.push(piece);
      size += piece.length;
      if (size > limit) child.kill('SIGKILL');
    });
    // Git that ends before it has read everything is known by its answer.
    child.stdin.once('error', () => undefined);
    // Aborting and a missing program are answers too: nothing is known.
    child.once('error', () => resolve(null));
    child.once('close', (code) => {
      const complete = size <= limit;
      if (complete && code !== 0) resolve(null);
      else resolve({ bytes: Buffer.concat(pieces).subarray(0, limit), complete });
    });
    child.stdin.end(input);
  });
}

const quietSettings = ['--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false'];

/** Variables that a hook sets, and that lead git to another repository. */
const leading: ReadonlySet<string> = new Set([
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_NAMESPACE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
]);

function environment({ folder, isRoot }: GitOptions): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !leading.has(name))),
    ...(isRoot && { GIT_CEILING_DIRECTORIES: dirname(realpathSync(folder)) }),
    // Objects that a partial clone lacks would be fetched, by programs that the repository may name.
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  };
}
