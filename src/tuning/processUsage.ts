import { readdirSync, readFileSync } from 'node:fs';

/** What processes have used so far; null where the system does not tell. */
export interface ProcessUsage {
  /** On all processor cores together. */
  readonly microseconds: number;
  readonly residentBytes: number;
}

/** Reads it from Linux' `/proc`: `schedstat` begins with the nanoseconds that a thread was on a processor. */
export function processUsage(processIds: readonly number[]): ProcessUsage | null {
  if (process.platform !== 'linux') return null;
  let microseconds = 0;
  let residentBytes = 0;
  for (const id of processIds) {
    for (const thread of readdirSync(`/proc/${id}/task`)) {
      microseconds +=
        Number.parseInt(readFileSync(`/proc/${id}/task/${thread}/schedstat`, 'utf8'), 10) / 1000;
    }
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'));
    residentBytes += Number(resident?.[1] ?? 0) * 1024;
  }
  return { microseconds, residentBytes };
}
