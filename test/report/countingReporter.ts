import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import type { Counts } from './counts.ts';

/** Names the file to which {@link CountingReporter} writes its counts. */
export const countsVariable = 'SLIPWAY_TEST_COUNTS';

/** Mocha's `spec` report, and the counts of it as JSON in the file named by the environment. */
export class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env[countsVariable];
    if (!file) return;
    const failures: string[] = [];
    const skips: string[] = [];
    let passed = 0;
    runner.on('pass', () => {
      passed += 1;
    });
    runner.on('fail', (test: Mocha.Runnable, error: Error) =>
      failures.push(`${test.fullTitle()}\n${reason(error)}`),
    );
    runner.on('pending', (test: Mocha.Runnable) => skips.push(test.fullTitle()));
    runner.on('end', () => {
      const counts: Counts = { passed, failures, skips };
      writeFileSync(file, JSON.stringify(counts));
    });
  }
}

/** How an error starts: what it says and where it was thrown. */
function reason(error: Error): string {
  return (error.stack ?? String(error))
    .split('\n')
    .slice(0, 12)
    .map((line) => `      ${line}`)
    .join('\n');
}
