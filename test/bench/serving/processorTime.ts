import { readdirSync, readFileSync } from 'node:fs';

/** Processor time in microseconds that a process, its threads and its children have used; NaN where nothing tells it. */
export function processorMicroseconds(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  return treeOf(pid).reduce((sum, member) => sum + ownMicroseconds(member), 0);
}

/** Bytes of memory that a process and its children hold; NaN where nothing tells it. */
export function residentBytes(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  return treeOf(pid).reduce((sum, member) => {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${member}/status`));
    return sum + (match ? Number(match[1]) * 1024 : 0);
  }, 0);
}

/** A process and all that descend from it. */
export function treeOf(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const match = /^PPid:\s+(\d+)/m.exec(read(`/proc/${name}/status`));
    if (match) parents.set(Number(name), Number(match[1]));
  }
  const members = [pid];
  for (const member of members) {
    for (const [child, parent] of parents) if (parent === member) members.push(child);
  }
  return members;
}

/** The first figure of `schedstat` is the time on a processor, in nanoseconds. */
function ownMicroseconds(pid: number): number {
  let threads: readonly string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return 0;
  }
  return threads.reduce((sum, thread) => {
    const [nanoseconds = '0'] = read(`/proc/${pid}/task/${thread}/schedstat`).split(' ');
    return sum + Number(nanoseconds) / 1000;
  }, 0);
}

/** The empty text for a process that ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
