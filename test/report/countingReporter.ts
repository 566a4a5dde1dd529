import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { type Counts, type Failure, noCounts } from './counts.ts';

/** Names the file to which {@link CountingReporter} writes its counts. */
export const countsVariable = 'SLIPWAY_TEST_COUNTS';

const reasonLines = 12;
const reasonColumns = 300;

/** Mocha's `spec` report, and the counts of it as JSON in the file named by the environment. */
export class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env[countsVariable];
    if (!file) return;
    const failures: Failure[] = [];
    const skips: string[] = [];
    const passedByFile: Record<string, number> = {};
    let passed = 0;
    runner.on('pass', (test: Mocha.Test) => {
      passed += 1;
      if (test.file) passedByFile[test.file] = (passedByFile[test.file] ?? 0) + 1;
    });
    runner.on('fail', (test: Mocha.Runnable, error: Error) => {
      const reason = (error.stack ?? String(error))
        .split('\n')
        .slice(0, reasonLines)
        .map((line) => line.slice(0, reasonColumns))
        .join('\n');
      failures.push({ name: test.fullTitle(), file: test.file ?? null, reason });
    });
    runner.on('pending', (test: Mocha.Runnable) => skips.push(test.fullTitle()));
    runner.on('end', () => {
      const counts: Counts = { ...noCounts, passed, passedByFile, failures, skips };
      writeFileSync(file, JSON.stringify(counts));
    });
  }
}
