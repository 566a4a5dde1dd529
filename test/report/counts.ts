/** How many tests passed, failed (by name, with the start of the error) and were skipped (by name). */
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

/** What a test run says at its end; the last line has the counts. In CI a skipped test counts as a failed one. */
export function summary(
  counts: Counts,
  continuousIntegration: boolean,
): { readonly text: string; readonly ok: boolean } {
  const skipped = counts.skips.length;
  const failed = counts.failures.length + (continuousIntegration ? skipped : 0);
  const skips = !continuousIntegration && skipped > 0 ? `, ${skipped} skipped` : '';
  const line = `${counts.passed} passed, ${failed} failed${skips}`;
  const text = [...listed('Skipped', counts.skips), ...listed('Failed', counts.failures), line].join('\n');
  return { text, ok: failed === 0 };
}

function listed(title: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`${title}:`, ...names.map((name) => `  ${name}`), ''];
}
