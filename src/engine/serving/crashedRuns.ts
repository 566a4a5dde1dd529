import { type EndedRun, readEndedRun } from '../../protocol/endedRun.ts';

/** Crashes that came while a version of a model was known to run. */
export interface CrashedRun extends EndedRun {
  readonly count: number;
}

/** Counts the crashes of which the process told what it ran. */
export interface CrashedRuns {
  /** @param detail what is known of the end of a process, its last lines included. */
  add(detail: string): void;
  all(): readonly CrashedRun[];
}

export function createCrashedRuns(): CrashedRuns {
  const counts = new Map<string, CrashedRun>();
  return {
    add(detail) {
      const run = readEndedRun(detail);
      if (run === null) return;
      const key = `${run.version} ${run.model}`;
      counts.set(key, { ...run, count: (counts.get(key)?.count ?? 0) + 1 });
    },
    all: () => [...counts.values()],
  };
}
