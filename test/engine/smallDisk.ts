import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** A way to give a process a disk that is soon full, and to give it room again. */
export interface SmallDisk {
  readonly title: string;
  /** Starts `command` so that its `.slipway/` in `workspace` is on the small disk. */
  start(command: readonly string[], workspace: string, mebibytes: number): SmallDiskProcess;
}

/** A process that sees a disk of its own. */
export interface NamespaceProcess {
  readonly id: number;
  readonly stdout: Readable;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  end(signal: NodeJS.Signals): void;
}

export interface SmallDiskProcess extends NamespaceProcess {
  /** Makes room on the disk; false where the test has to delete something. */
  makeRoom(): boolean;
  /** Runs a program that sees the same disk, such as one that checks the store; gives its output. */
  look(command: readonly string[]): { readonly code: number | null; readonly output: string };
}

/**
 * The options of `unshare` with which one may mount something that only one process sees; null where one may not.
 */
export function mountingAllowed(): readonly string[] | null {
  if (process.platform !== 'linux') return null;
  const mounts = 'mount -t tmpfs tmpfs /mnt';
  const works = (options: readonly string[]) =>
    spawnSync('unshare', [...options, 'sh', '-c', mounts], { stdio: 'ignore' }).status === 0;
  return [['-m'], ['-r', '-m']].find(works) ?? null;
}

/**
 * The ways that work here: a file system in memory, mounted for the process alone, and a limit on the size of files,
 * which any shell can set. None but on Linux.
 */
export function smallDisks(): readonly SmallDisk[] {
  if (process.platform !== 'linux') return [];
  const unshare = mountingAllowed();
  return [...(unshare ? [memoryDisk(unshare)] : []), fileLimit];
}

function memoryDisk(unshare: readonly string[]): SmallDisk {
  return {
    title: 'a file system in memory',
    start(command, workspace, mebibytes) {
      const folder = join(workspace, '.slipway');
      mkdirSync(folder, { recursive: true });
      const script = `mount -t tmpfs -o size=${mebibytes}m tmpfs "$0" && exec "$@"`;
      const child = spawn('unshare', [...unshare, 'sh', '-c', script, folder, ...command], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      return {
        ...processOf(child),
        makeRoom: () => false,
        look: (looking) => look(child.pid, unshare, looking),
      };
    },
  };
}

const fileLimit: SmallDisk = {
  title: 'a limit on the size of files',
  start(command, _workspace, mebibytes) {
    // In blocks of 512 or 1024 bytes, as the shell has it.
    const script = `ulimit -S -f ${mebibytes * 1024} && exec "$@"`;
    const child = spawn('sh', ['-c', script, 'sh', ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
    return {
      ...processOf(child),
      makeRoom: () =>
        spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:'], { stdio: 'ignore' })
          .status === 0,
      look: run,
    };
  },
};

/** Runs a program that sees what a process does that was started with these options of `unshare`. */
export function look(processId: number | undefined, unshare: readonly string[], command: readonly string[]) {
  const user = unshare.includes('-r') ? ['-U', '--preserve-credentials'] : [];
  return run(['nsenter', '-t', String(processId), ...user, '-m', ...command]);
}

export function processOf(child: ReturnType<typeof spawn>): NamespaceProcess {
  const { stdout, pid } = child;
  if (stdout === null || pid === undefined) throw new Error('The process could not be started.');
  return {
    id: pid,
    stdout,
    ended: new Promise((resolve) => {
      child.once('exit', (code) => resolve(code));
    }),
    end: (signal) => void child.kill(signal),
  };
}

/** Runs a program to its end. */
export function run([file = '', ...args]: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}
