/** A run of a model that took so long that the process was ended. */
export interface EndedRun {
  readonly model: string;
  readonly version: number;
}

/**
 * The line that a process leaves of it on its standard error: by then it can say nothing in another way.
 *
 * @param limit how long a run may take, in milliseconds.
 */
export function endedRunLine({ model, version }: EndedRun, limit: number): string {
  return `Error: a run of version ${version} of ${JSON.stringify(model)} took longer than ${limit} ms, so the process is ended.`;
}

/** The line of a version that took so long to load. @param limit how long that may take, in milliseconds. */
export function endedLoadLine({ model, version }: EndedRun, limit: number): string {
  return `Error: version ${version} of ${JSON.stringify(model)} took longer than ${limit} ms to load, so the process is ended.`;
}

/** Finds the line of a run in a text; null when it is not there. */
export function readEndedRun(text: string): EndedRun | null {
  const found = /Error: a run of version (\d+) of ("(?:[^"\\]|\\.)*") took longer than/.exec(text);
  if (found?.[1] === undefined || found[2] === undefined) return null;
  const model: unknown = JSON.parse(found[2]);
  return { model: String(model), version: Number(found[1]) };
}
