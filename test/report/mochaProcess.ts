import Mocha from 'mocha';
import { CountingReporter } from './countingReporter.ts';

/** Runs the test files named in its arguments. The exit code is 1 when a test failed. */
const mocha = new Mocha({
  reporter: CountingReporter,
  timeout: 60_000,
  color: Boolean(process.stdout.isTTY),
});
for (const file of process.argv.slice(2)) mocha.addFile(file);
await mocha.loadFilesAsync();
mocha.run((failures) => {
  process.exitCode = failures > 0 ? 1 : 0;
});
