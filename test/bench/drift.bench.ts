import { numericDrift } from '../../src/statistics/drift.ts';
import { kolmogorovSmirnov } from '../../src/statistics/kolmogorovSmirnov.ts';
import { normal, seededRandom } from '../unit/statistics/sequences.ts';

const rows = 1_000_000;
const rounds = 5;

/**
 * Prints how long the comparison of two columns of a million values takes, as a multiple of sorting one of them, as
 * absolute times say more of the machine than of the code. The comparison sorts both itself.
 */
export async function run(): Promise<void> {
  const random = seededRandom(1);
  const draw = () => Float64Array.from({ length: rows }, () => normal(random));
  const reference = draw();
  const current = draw();
  const sorted = [reference.slice().sort(), current.slice().sort()] as const;

  const sort = fastest(() => reference.slice().sort());
  const report = (name: string, milliseconds: number) =>
    console.log(
      `${name.padEnd(60)} ${(milliseconds / sort).toFixed(2)} × sort (${milliseconds.toFixed(0)} ms)`,
    );
  report('sort a Float64Array of 1,000,000', sort);
  report(
    'Kolmogorov-Smirnov, 1,000,000 against 1,000,000, sorted',
    fastest(() => kolmogorovSmirnov(...sorted)),
  );
  report(
    'Kolmogorov-Smirnov, PSI and histogram, sorting included',
    fastest(() => numericDrift(reference.slice().sort(), current.slice().sort())),
  );
}

function fastest(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
