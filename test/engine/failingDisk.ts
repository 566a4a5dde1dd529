import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { look, type NamespaceProcess, processOf, run } from './smallDisk.ts';

/** A process whose disk can be made to fail: the system then lets nobody write to it any more. */
export interface FailingDiskProcess extends NamespaceProcess {
  /** Waits until all that was written is on the disk, and lets the disk fail. */
  fail(): void;
  /** After the end of the process: repairs the disk, as the system would, and runs a program on it. */
  repair(command: readonly string[]): { readonly code: number | null; readonly output: string };
}

/** An ext4 in a file, which turns read-only at the first error; the kernel makes one when it is asked to. */
const mountFile = 'mount -o loop,errors=remount-ro "$0" "$1"';
const trigger = '/sys/fs/ext4/$(basename "$(findmnt -no SOURCE "$1")")/trigger_fs_error';

/** Whether this is Linux, and one may mount such a disk: only the administrator may. */
export function failingDisksAllowed(): boolean {
  if (process.platform !== 'linux') return false;
  const folder = mkdtempSync(join(tmpdir(), 'slipway-disk-'));
  try {
    const image = makeImage(folder);
    const script = `${mountFile} && test -w "${trigger}"`;
    return run(['unshare', '-m', 'sh', '-c', script, image, folder]).code === 0;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts `command` so that its `.slipway/` in `workspace` is on such a disk. */
export function startOnFailingDisk(command: readonly string[], workspace: string): FailingDiskProcess {
  const folder = join(workspace, '.slipway');
  mkdirSync(folder, { recursive: true });
  const image = makeImage(workspace);
  const script = `${mountFile} && shift && exec "$@"`;
  const child = spawn('unshare', ['-m', 'sh', '-c', script, image, folder, ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const running = processOf(child);
  return {
    ...running,
    fail() {
      const { code, output } = look(
        running.id,
        ['-m'],
        ['sh', '-c', `sync -f "$1" && echo 1 > "${trigger}"`, '', folder],
      );
      if (code !== 0) throw new Error(output);
    },
    repair(following) {
      // It says 1 when it had something to repair.
      run(['e2fsck', '-fy', image]);
      return run(['unshare', '-m', 'sh', '-c', script, image, folder, ...following]);
    },
  };
}

function makeImage(folder: string): string {
  const image = join(folder, 'disk.img');
  for (const command of [
    ['truncate', '-s', '32M', image],
    ['mkfs.ext4', '-q', '-F', image],
  ]) {
    const { status, error } = spawnSync(command[0] ?? '', command.slice(1), { stdio: 'ignore' });
    if (status !== 0) throw error ?? new Error(`${command.join(' ')} failed`);
  }
  return image;
}
