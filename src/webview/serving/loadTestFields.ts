import type { LoadTestPlan } from '../../protocol/loadTest.ts';

/** What can be set of a load test, and between what. The engine has the same limits. */
export const limits = {
  firstRate: { from: 1, to: 100_000 },
  lastRate: { from: 1, to: 100_000 },
  seconds: { from: 0.5, to: 60 },
  latencyLimit: { from: 0.001, to: 60_000 },
} as const;

export type LoadTestField = keyof typeof limits;
/** As they are typed. */
export type LoadTestFields = Readonly<Record<LoadTestField, string>>;

export const firstFields: LoadTestFields = {
  firstRate: '10',
  lastRate: '5000',
  seconds: '3',
  latencyLimit: '50',
};

const names = [
  'firstRate',
  'lastRate',
  'seconds',
  'latencyLimit',
] as const satisfies readonly LoadTestField[];

/** The plan that the fields stand for, or null with the fields that do not fit. */
export function planOf(fields: LoadTestFields): {
  readonly plan: LoadTestPlan | null;
  readonly invalid: readonly LoadTestField[];
} {
  const number = (name: LoadTestField) => (fields[name].trim() === '' ? Number.NaN : Number(fields[name]));
  const invalid: LoadTestField[] = names.filter((name) => {
    const { from, to } = limits[name];
    return !(number(name) >= from && number(name) <= to);
  });
  if (invalid.length === 0 && number('firstRate') > number('lastRate')) invalid.push('lastRate');
  const plan = {
    firstRate: number('firstRate'),
    lastRate: number('lastRate'),
    seconds: number('seconds'),
    latencyLimit: number('latencyLimit'),
  };
  return { plan: invalid.length === 0 ? plan : null, invalid };
}

export function isFields(kept: unknown): kept is LoadTestFields {
  return (
    typeof kept === 'object' &&
    kept !== null &&
    names.every((name) => typeof Reflect.get(kept, name) === 'string')
  );
}
