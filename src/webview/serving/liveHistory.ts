import type { EndpointLive } from '../../protocol/serving.ts';

/** What one variant was asked, one element a second. */
export interface VariantHistory {
  readonly key: string;
  readonly name: string;
  readonly model: string;
  readonly version: number;
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  readonly latencyP50: readonly (number | null)[];
  readonly latencyP95: readonly (number | null)[];
  readonly latencyP99: readonly (number | null)[];
}

/** What an endpoint was asked of late. All arrays are as long as `times`. */
export interface LiveHistory {
  /** UTC milliseconds, a second apart. */
  readonly times: readonly number[];
  readonly variants: readonly VariantHistory[];
}

export const keptMilliseconds = 15 * 60_000;
const second = 1000;

export const emptyHistory: LiveHistory = { times: [], variants: [] };

/** The moment from which on points are wanted. */
export function wantedFrom(history: LiveHistory, now: number): number {
  const last = history.times.at(-1);
  return last === undefined ? now - keptMilliseconds : Math.max(last + second, now - keptMilliseconds);
}

/**
 * Adds an answer's points behind those that are there. What has been there for longer than a quarter of an hour goes, and
 * so does what a gap in time separates from the new.
 */
export function appended(history: LiveHistory, live: Pick<EndpointLive, 'times' | 'variants'>): LiveHistory {
  const last = history.times.at(-1) ?? Number.NEGATIVE_INFINITY;
  const skipped = live.times.filter((time) => time <= last).length;
  const added = live.times.slice(skipped);
  const [first] = added;
  if (first === undefined) return history;
  const newest = added.at(-1) ?? first;
  const contiguous = first - last <= second;
  const before = contiguous ? history.times : [];
  const dropped = before.filter((time) => time <= newest - keptMilliseconds).length;
  const length = before.length;

  const known = contiguous ? history.variants : [];
  const keys = [...new Set([...known, ...live.variants].map(keyOf))];
  const variants = keys.flatMap((key): VariantHistory[] => {
    const old = known.find((one) => one.key === key);
    const fresh = live.variants.find((one) => keyOf(one) === key);
    const named = fresh ?? old;
    if (!named) return [];
    const joined = <Value>(
      from: readonly Value[] | undefined,
      to: readonly Value[] | undefined,
      nothing: Value,
    ) =>
      [
        ...(from ?? Array.from({ length }, () => nothing)),
        ...(to?.slice(skipped) ?? added.map(() => nothing)),
      ].slice(dropped);
    const { name, model, version } = named;
    return [
      {
        key,
        name,
        model,
        version,
        requests: joined(old?.requests, fresh?.requests, 0),
        errors: joined(old?.errors, fresh?.errors, 0),
        latencyP50: joined(old?.latencyP50, fresh?.latencyP50, null),
        latencyP95: joined(old?.latencyP95, fresh?.latencyP95, null),
        latencyP99: joined(old?.latencyP99, fresh?.latencyP99, null),
      },
    ];
  });
  return {
    times: [...before, ...added].slice(dropped),
    variants: variants
      .filter(({ requests }) => requests.some((count) => count > 0))
      .sort((one, other) => rank(one) - rank(other) || one.version - other.version),
  };
}

/** Over how many seconds the share that variants really got is taken. */
const shareSeconds = 10;

/**
 * Which share of the requests that the split led somewhere each of these variants got, over ten seconds each; null where
 * there were none.
 */
export function receivedShares(variants: readonly VariantHistory[]): readonly (readonly (number | null)[])[] {
  const sums = variants.map(({ requests }) => movingSum(requests));
  return sums.map((own) =>
    own.map((count, index) => {
      const total = sums.reduce((sum, all) => sum + (all[index] ?? 0), 0);
      return total === 0 ? null : count / total;
    }),
  );
}

function movingSum(values: readonly number[]): readonly number[] {
  let sum = 0;
  return values.map((value, index) => {
    sum += value - (values[index - shareSeconds] ?? 0);
    return sum;
  });
}

function keyOf({ name, model, version }: Pick<VariantHistory, 'name' | 'model' | 'version'>): string {
  return `${name}/${version}/${model}`;
}

function rank({ name }: Pick<VariantHistory, 'name'>): number {
  const order = ['stable', 'candidate', 'shadow', 'version'];
  const place = order.indexOf(name);
  return place === -1 ? order.length : place;
}
