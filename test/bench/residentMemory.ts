import { execFileSync } from 'node:child_process';

/** Megabytes of memory that a process holds at the moment; not a number where nothing tells it. */
export function residentMegabytes(pid: number | undefined): number {
  if (pid === undefined || process.platform === 'win32') return Number.NaN;
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}
