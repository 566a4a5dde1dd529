import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';

export interface GitOutput {
  readonly text: string;
  /** False: git had more to say than the limit. */
  readonly complete: boolean;
}

export interface GitOptions {
  /** The folder that git works in, which need not be the root. */
  readonly folder: string;
  /** Ends git. */
  readonly signal: AbortSignal;
  /** How many bytes of its output are read. */
  readonly limit: number;
}

/** A repository can be so large, or lie so far away, that git takes minutes. */
const patienceMilliseconds = 10_000;

/**
 * Asks git something, so that nothing changes: it takes no lock, asks the person nothing and watches no files. Null when there is no git, it takes too long, or it fails, as it does outside of
 * repositories.
 */
export function askGit(args: readonly string[], options: GitOptions): Promise<GitOutput | null> {
  const { folder, limit } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(patienceMilliseconds)]);
  // Not started in that folder: Windows would take a git.exe that lies there.
  const child = spawn('git', ['-C', folder, ...quietSettings, ...args], {
    cwd: tmpdir(),
    env: environment(),
    stdio: ['ignore', 'pipe', 'ignore'],
    windowsHide: true,
    signal,
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
    // Aborting and a missing program are answers too: nothing is known.
    child.once('error', () => resolve(null));
    child.once('close', (code) => {
      if (size > limit) resolve({ text: wholeLines(Buffer.concat(pieces), limit), complete: false });
      else resolve(code === 0 ? { text: Buffer.concat(pieces).toString('utf8'), complete: true } : null);
    });
  });
}

const quietSettings = ['--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false'];

/** Variables that a hook sets would lead git to another repository. */
function environment(): NodeJS.ProcessEnv {
  const { GIT_DIR: _, GIT_WORK_TREE: __, GIT_INDEX_FILE: ___, ...rest } = process.env;
  return { ...rest, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
}

function wholeLines(bytes: Buffer, limit: number): string {
  const end = bytes.lastIndexOf('\n', limit - 1);
  return bytes.subarray(0, end < 0 ? limit : end + 1).toString('utf8');
}
