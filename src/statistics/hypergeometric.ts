import { binomialDensity } from './gamma.ts';

/**
 * P(X ≥ found), X being how many of `marked` rows are among `drawn` rows that were drawn without replacement from
 * `all` rows. About 1e-12 relative. Source: the density as a ratio of binomial ones, C. Loader (2000).
 */
export function hypergeometricUpperTail(found: number, drawn: number, marked: number, all: number): number {
  const least = Math.max(0, drawn + marked - all);
  const most = Math.min(drawn, marked);
  if (found <= least) return 1;
  if (found > most) return 0;
  let term = density(found, drawn, marked, all);
  let sum = term;
  for (let x = found; x < most; x += 1) {
    term *= ((marked - x) * (drawn - x)) / ((x + 1) * (all - marked - drawn + x + 1));
    if (term <= sum * Number.EPSILON * Number.EPSILON) break;
    sum += term;
  }
  return Math.min(sum, 1);
}

function density(found: number, drawn: number, marked: number, all: number): number {
  // Everything is drawn or marked: only one outcome is possible.
  if (drawn === all || marked === all) return 1;
  const p = drawn / all;
  const rest = (all - drawn) / all;
  return (
    (binomialDensity(found, marked, p, rest) * binomialDensity(drawn - found, all - marked, p, rest)) /
    binomialDensity(drawn, all, p, rest)
  );
}
