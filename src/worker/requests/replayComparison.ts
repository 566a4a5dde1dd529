import { badRequest } from '../../inference/problem.ts';
import type { ReplayReport } from '../../protocol/requests.ts';
import { loggedText, parseLogged } from './loggedJson.ts';
import type { RequestRow } from './requestRows.ts';

/** Compares what was predicted then and now, row by row. */
export interface ReplayComparison {
  /**
   * @param now outputs as the log holds them.
   * @throws RequestProblem when there is no output that both have.
   */
  add(request: RequestRow, now: string): void;
  report(): Pick<ReplayReport, 'rows' | 'equalRows' | 'outputs' | 'outputsNotCompared' | 'examples'>;
}

/** Numbers agree when they differ by at most so much, in relation to the larger one where that is beyond 1. */
const tolerance = 1e-4;
const keptExamples = 20;
const longestText = 2_000;

interface OutputSum {
  equalRows: number;
  numbers: number;
  sum: number;
  largest: number;
}

/** How two values differ: equal or not, and by how much where they are numbers. */
interface Difference {
  equal: boolean;
  numbers: number;
  sum: number;
  largest: number;
}

/** @param exact outputs of whole numbers, such as labels: two of them are equal or not. */
export function createReplayComparison(exact: readonly string[]): ReplayComparison {
  const limits = new Map(exact.map((name) => [name, 0]));
  const notCompared = new Set<string>();
  const sums = new Map<string, OutputSum>();
  let examples: { readonly weight: number; readonly example: ReplayReport['examples'][number] }[] = [];
  let rows = 0;
  let equalRows = 0;

  return {
    add(request, nowJson) {
      const before = columnsOf(request.outputs);
      const now = columnsOf(nowJson);
      const inputs = columnsOf(request.inputs);
      // An output that was redacted cannot be compared.
      const names = [...before.keys()].filter((name) => now.has(name) && before.get(name) !== null);
      for (const name of [...before.keys(), ...now.keys()]) if (!names.includes(name)) notCompared.add(name);
      if (names.length === 0) {
        const logged = [...before.keys()].map((name) => `"${name}"`).join(', ') || 'none';
        throw badRequest(`None of its outputs can be compared with those that were logged (${logged}).`);
      }
      for (let row = 0; row < request.rowCount; row++) {
        let equal = true;
        let weight = 0;
        for (const name of names) {
          const difference = compare(
            before.get(name)?.[row],
            now.get(name)?.[row],
            limits.get(name) ?? tolerance,
          );
          const sum = sums.get(name) ?? { equalRows: 0, numbers: 0, sum: 0, largest: 0 };
          sums.set(name, sum);
          if (difference.equal) sum.equalRows += 1;
          else equal = false;
          sum.numbers += difference.numbers;
          sum.sum += difference.sum;
          sum.largest = Math.max(sum.largest, difference.largest);
          weight = Math.max(weight, difference.numbers === 0 && !difference.equal ? 1 : difference.largest);
        }
        rows += 1;
        if (equal) equalRows += 1;
        else keep(request, row, weight, { inputs, before, now });
      }
    },
    report: () => ({
      rows,
      equalRows,
      outputs: [...sums].map(([name, { equalRows: equal, numbers, sum, largest }]) => ({
        name,
        equalRows: equal,
        meanAbsoluteDifference: numbers === 0 ? null : sum / numbers,
        largestAbsoluteDifference: numbers === 0 ? null : largest,
      })),
      outputsNotCompared: [...notCompared].sort(),
      examples: examples.map(({ example }) => example),
    }),
  };

  function keep(
    { requestId, receivedAt }: RequestRow,
    row: number,
    weight: number,
    { inputs, before, now }: Readonly<Record<'inputs' | 'before' | 'now', Columns>>,
  ): void {
    const last = examples.at(-1);
    if (examples.length >= keptExamples && last && weight <= last.weight) return;
    const example = {
      requestId,
      receivedAt,
      row,
      inputs: rowText(inputs, row),
      before: rowText(before, row),
      after: rowText(now, row),
    };
    examples = [...examples, { weight, example }]
      .sort((left, right) => right.weight - left.weight)
      .slice(0, keptExamples);
  }
}

type Columns = ReadonlyMap<string, readonly unknown[] | null>;

function columnsOf(json: string | null): Columns {
  const columns: unknown = json === null ? {} : parseLogged(json);
  return new Map(
    Object.entries(columns ?? {}).map(([name, values]) => [name, Array.isArray(values) ? values : null]),
  );
}

function rowText(columns: Columns, row: number): string {
  const values = [...columns].map(([name, list]) => [name, list === null ? null : (list[row] ?? null)]);
  const text = loggedText(Object.fromEntries(values));
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

function compare(before: unknown, now: unknown, limit: number): Difference {
  if (isNumber(before) && isNumber(now)) {
    const [one, other] = [Number(before), Number(now)];
    const difference =
      typeof before === 'bigint' && typeof now === 'bigint'
        ? Math.abs(Number(before - now))
        : Math.abs(one - other);
    const equal = difference <= limit * Math.max(1, Math.abs(one), Math.abs(other));
    return { equal, numbers: 1, sum: difference, largest: difference };
  }
  const members = pairsOf(before, now);
  if (members) {
    const all: Difference = { equal: true, numbers: 0, sum: 0, largest: 0 };
    for (const [one, other] of members) {
      const difference = compare(one, other, limit);
      all.equal &&= difference.equal;
      all.numbers += difference.numbers;
      all.sum += difference.sum;
      all.largest = Math.max(all.largest, difference.largest);
    }
    return all;
  }
  return { equal: before === now, numbers: 0, sum: 0, largest: 0 };
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** What lies in the same place of two lists or two objects; null when they are neither. */
function pairsOf(before: unknown, now: unknown): readonly (readonly [unknown, unknown])[] | null {
  if (Array.isArray(before) && Array.isArray(now)) {
    const length = Math.max(before.length, now.length);
    return Array.from({ length }, (_, index) => [before[index], now[index]] as const);
  }
  if (typeof before !== 'object' || typeof now !== 'object' || !before || !now) return null;
  const [left, right] = [new Map(Object.entries(before)), new Map(Object.entries(now))];
  return [...new Set([...left.keys(), ...right.keys()])].map(
    (key) => [left.get(key), right.get(key)] as const,
  );
}
