import { normal, seededRandom } from '../unit/statistics/sequences.ts';

/** 600 rows: a normal column, a colour, a truth value, and a code; `moved` shifts the first two. */
export function tableRows(seed: number, moved: boolean) {
  const random = seededRandom(seed);
  return Array.from({ length: 600 }, (_, row) => ({
    alcohol: Math.round((normal(random) + (moved ? 1.5 : 0)) * 1000) / 1000,
    colour: random() < (moved ? 0.2 : 0.6) ? 'red' : 'white',
    organic: random() < 0.5,
    grade: Math.floor(random() * 4),
    'sugar, residual "g/l"': random() * 5,
    row,
  }));
}

/** The same as a CSV file with a header. */
export function csvOf(rows: readonly object[]): string {
  const cell = (value: unknown) =>
    typeof value === 'string' && /[",]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value);
  const header = Object.keys(rows[0] ?? {});
  return `${[header, ...rows.map((row) => Object.values(row))].map((cells) => cells.map(cell).join(',')).join('\n')}\n`;
}

/** The columns that the model takes. */
export const inputNames = ['alcohol', 'colour', 'organic', 'grade', 'sugar, residual "g/l"'];
