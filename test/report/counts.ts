/** A test that failed. */
export interface Failure {
  readonly name: string;
  /** Absolute path of its test file; null of what is wrong with a whole run. */
  readonly file: string | null;
  /** The start of the error. */
  readonly reason: string;
}

/** What became of tests. */
export interface Counts {
  readonly passed: number;
  /** The part of `passed` that is of one test file. */
  readonly passedByFile: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  /** The names of those that were skipped. */
  readonly skips: readonly string[];
  /** Those that failed at first and passed when their file ran again, alone. */
  readonly unsteady: readonly Failure[];
}

export const noCounts: Counts = { passed: 0, passedByFile: {}, failures: [], skips: [], unsteady: [] };

/** The counts of two groups of tests together. */
export function addCounts(first: Counts, second: Counts): Counts {
  return {
    passed: first.passed + second.passed,
    passedByFile: { ...first.passedByFile, ...second.passedByFile },
    failures: [...first.failures, ...second.failures],
    skips: [...first.skips, ...second.skips],
    unsteady: [...first.unsteady, ...second.unsteady],
  };
}

/** The files of tests that failed. */
export function failedFiles({ failures }: Counts): readonly string[] {
  return [...new Set(failures.flatMap(({ file }) => file ?? []))];
}

/** Counts after the files of failed tests ran again: what the second run says of them holds. */
export function afterSecondRun(first: Counts, second: Counts): Counts {
  const files = new Set(failedFiles(first));
  const before = [...files].reduce((sum, file) => sum + (first.passedByFile[file] ?? 0), 0);
  return {
    passed: first.passed - before + second.passed,
    passedByFile: { ...first.passedByFile, ...second.passedByFile },
    failures: [...first.failures.filter(({ file }) => file === null), ...second.failures],
    skips: [...new Set([...first.skips, ...second.skips])],
    unsteady: passedAtLast(first, second).filter(({ file }) => file !== null),
  };
}

/** Counts after everything ran again: what the second run says holds. */
export function afterRepetition(first: Counts, second: Counts): Counts {
  return { ...second, unsteady: passedAtLast(first, second) };
}

function passedAtLast(first: Counts, second: Counts): readonly Failure[] {
  const stillFailing = new Set(second.failures.map(({ name }) => name));
  return first.failures.filter(({ name }) => !stillFailing.has(name));
}

/** What a test run says at its end; the last line has the counts. In CI a skipped test counts as a failed one. */
export function summary(
  counts: Counts,
  continuousIntegration: boolean,
): { readonly text: string; readonly ok: boolean } {
  const skipped = counts.skips.length;
  const failed = counts.failures.length + (continuousIntegration ? skipped : 0);
  const skips = !continuousIntegration && skipped > 0 ? `, ${skipped} skipped` : '';
  const text = [
    ...listed('Skipped', counts.skips),
    ...listed('Failed at first, and passed when run again', counts.unsteady.map(described)),
    ...listed('Failed', counts.failures.map(described)),
    `${counts.passed} passed, ${failed} failed${skips}`,
  ].join('\n');
  return { text, ok: failed === 0 };
}

function described({ name, reason }: Failure): string {
  return [name, ...reason.split('\n').map((line) => `      ${line}`)].join('\n');
}

function listed(title: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`${title}:`, ...names.map((name) => `  ${name}`), ''];
}
