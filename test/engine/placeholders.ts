/** What placeholders stand for, such as `<run:1>`: learnt from answers, used in the requests that follow. */
export type Bindings = Map<string, string>;

/** A place, such as `json.run.info.run_id`, where something else stands than was expected. */
export interface Difference {
  readonly place: string;
  readonly expected: unknown;
  /** Undefined when nothing stands there. */
  readonly actual: unknown;
}

/** What each kind of placeholder may stand for. Numbered ones stand for the same wherever they come again. */
const kinds: Readonly<Record<string, string>> = {
  run: '[0-9a-f]{32}',
  model: 'm-[0-9a-f]{32}',
  name: '[a-z]+-[a-z]+-\\d+',
  token: '\\S+',
  experiment: '\\d+',
  words: "[\\w ',]*",
  version: '\\d+\\.\\d+\\.\\S+',
};

const placeholder = /<([a-z]+)(?::\d+)?>/g;

/** A text with its placeholders replaced by what they stand for. */
export function bind(text: string, bindings: Bindings): string {
  return text.replace(placeholder, (name) => bindings.get(name) ?? name);
}

/** Parsed JSON with the placeholders in its texts replaced. */
export function fill(value: unknown, bindings: Bindings): unknown {
  if (typeof value === 'string') return bind(value, bindings);
  if (Array.isArray(value)) return value.map((item) => fill(item, bindings));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, bindings)]));
}

/**
 * Compares parsed JSON deeply. Placeholders that stand for nothing yet take what stands in their place. The tags,
 * parameters and metrics of a run or model and the latest versions of a model are maps: MLflow's queries give them in no
 * order of their own.
 */
export function compare(
  place: string,
  expected: unknown,
  actual: unknown,
  bindings: Bindings,
): readonly Difference[] {
  if (typeof expected === 'string') {
    return matches(expected, actual, bindings) ? [] : [{ place, expected, actual }];
  }
  if (typeof expected !== 'object' || expected === null) {
    return Object.is(expected, actual) ? [] : [{ place, expected, actual }];
  }
  if (typeof actual !== 'object' || actual === null || Array.isArray(expected) !== Array.isArray(actual)) {
    return [{ place, expected, actual }];
  }
  const isMap = maps.test(place);
  const fields = new Map<string, readonly [unknown, unknown]>();
  for (const [key, value] of entriesOf(expected, isMap)) fields.set(key, [value, undefined]);
  for (const [key, value] of entriesOf(actual, isMap)) fields.set(key, [fields.get(key)?.[0], value]);
  return [...fields].flatMap(([key, [wanted, found]]) => {
    const at = `${place}.${key}`;
    if (wanted === undefined || found === undefined) return [{ place: at, expected: wanted, actual: found }];
    return compare(at, wanted, found, bindings);
  });
}

const maps = /\.((data|info|dataset_inputs\.\d+)\.(tags|params|metrics)|latest_versions)$/;

/** The entries of an object or a list; of a list that is a map, by their keys. */
function entriesOf(value: object, isMap: boolean): readonly (readonly [string, unknown])[] {
  if (!isMap || !Array.isArray(value)) return Object.entries(value);
  const seen = new Map<string, number>();
  return value.map((item) => {
    const key = String(item.key ?? item.version);
    const nth = seen.get(key) ?? 0;
    seen.set(key, nth + 1);
    return [nth === 0 ? key : `${key}#${nth}`, item];
  });
}

function matches(expected: string, actual: unknown, bindings: Bindings): boolean {
  if (expected === '<cut>') return actual !== undefined;
  if (expected === '<time>') return Number.isSafeInteger(actual) && Number(actual) > 1_600_000_000_000;
  if (typeof actual !== 'string') return false;
  const unbound: string[] = [];
  let pattern = '';
  let end = 0;
  for (const match of expected.matchAll(placeholder)) {
    const [name, kind = ''] = match;
    const known = bindings.get(name);
    pattern += literally(expected.slice(end, match.index));
    end = match.index + name.length;
    if (known !== undefined) pattern += literally(known);
    else if (!Object.hasOwn(kinds, kind)) pattern += literally(name);
    else {
      pattern += `(${kinds[kind]})`;
      unbound.push(name);
    }
  }
  const found = new RegExp(`^${pattern}${literally(expected.slice(end))}$`, 's').exec(actual);
  if (found === null) return false;
  for (const [index, name] of unbound.entries()) {
    if (name.includes(':')) bindings.set(name, found[index + 1] ?? '');
  }
  return true;
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
