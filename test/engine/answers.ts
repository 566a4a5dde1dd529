/** A parsed answer of the MLflow dialect; its fields are read with `at`, `textAt` and `listAt`. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The value at a path such as `run.info.run_id` or `runs.0.info` of parsed JSON; undefined when it is not there. */
export function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((place, name) => {
    if (typeof place !== 'object' || place === null) return undefined;
    return Object.entries(place).find(([key]) => key === name)?.[1];
  }, value);
}

/** The text at a path of parsed JSON. */
export function textAt(value: unknown, path: string): string {
  const text = at(value, path);
  if (typeof text === 'string') return text;
  throw new Error(`No text at ${path}: ${JSON.stringify(value)}`);
}

/** The list at a path of parsed JSON; empty when it is not there, as empty lists are left out. */
export function listAt(value: unknown, path: string): readonly unknown[] {
  const list = at(value, path) ?? [];
  if (Array.isArray(list)) return list;
  throw new Error(`No list at ${path}: ${JSON.stringify(value)}`);
}
