import { execFileSync } from 'node:child_process';

export interface SlipwayProcess {
  readonly pid: number;
  readonly script: string;
}

/** The engines, scorers and workers below this process: those of the editors that a test opened. */
export function slipwayProcesses(): readonly SlipwayProcess[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const all = lines.flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
  const ours = new Set([process.pid]);
  for (let size = 0; size !== ours.size; ) {
    size = ours.size;
    for (const { pid, parent } of all) if (ours.has(parent)) ours.add(pid);
  }
  return all.flatMap(({ pid, command }) => {
    const [, script] = /dist\/(engine|scorer|worker)\.cjs/.exec(command) ?? [];
    return ours.has(pid) && script !== undefined ? [{ pid, script }] : [];
  });
}

/** The process IDs of the engines below this process. */
export function enginePids(): readonly number[] {
  return slipwayProcesses()
    .filter(({ script }) => script === 'engine')
    .map(({ pid }) => pid);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
