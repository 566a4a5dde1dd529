/** How many tests passed, failed and were skipped, and what the failed and skipped ones are called. */
export interface Counts {
  readonly passed: number;
  readonly failures: readonly string[];
  readonly skips: readonly string[];
}

export const noCounts: Counts = { passed: 0, failures: [], skips: [] };

/** The counts of two groups of tests together. */
export function addCounts(first: Counts, second: Counts): Counts {
  return {
    passed: first.passed + second.passed,
    failures: [...first.failures, ...second.failures],
    skips: [...first.skips, ...second.skips],
  };
}

/** The last line of a test run. In CI a skipped test counts as a failed one. */
export function summary(
  counts: Counts,
  continuousIntegration: boolean,
): { readonly line: string; readonly ok: boolean } {
  const skipped = counts.skips.length;
  const failed = counts.failures.length + (continuousIntegration ? skipped : 0);
  const skips = !continuousIntegration && skipped > 0 ? `, ${skipped} skipped` : '';
  return { line: `${counts.passed} passed, ${failed} failed${skips}`, ok: failed === 0 };
}
