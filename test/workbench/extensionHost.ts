import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import Mocha from 'mocha';
import { CountingReporter } from '../report/countingReporter.ts';

/** Names the file to which the suites' report is written: the console of an extension host is full of other voices. */
export const reportVariable = 'SLIPWAY_TEST_REPORT';

/**
 * Called by VS Code inside its extension host: runs the bundled suites that lie beside this module.
 *
 * @throws Error when a test failed, which is how VS Code is told.
 */
export async function run(): Promise<void> {
  const report = process.env[reportVariable];
  if (report) {
    Mocha.reporters.Base.consoleLog = (...parts: unknown[]) =>
      appendFileSync(report, `${format(...parts)}\n`);
  }
  const mocha = new Mocha({ reporter: CountingReporter, timeout: 120_000, color: false });
  for (const file of readdirSync(import.meta.dirname).sort()) {
    if (file.endsWith('.test.cjs')) mocha.addFile(join(import.meta.dirname, file));
  }
  const failures = await new Promise<number>((resolve) => {
    mocha.run(resolve);
  });
  if (failures > 0) throw new Error(`${failures} failed`);
}
