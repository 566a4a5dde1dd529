import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repository } from '../toolchain/cacheFolder.ts';

/** The tests of reliability with their full numbers, which take too long for every run of the tests. */
const suites: readonly (readonly [file: string, environment: Readonly<Record<string, string>>])[] = [
  ['durability', { SLIPWAY_TEST_KILL_ROUNDS: '200' }],
  ['maintenanceKill', { SLIPWAY_TEST_GARBAGE_ROUNDS: '50' }],
  ['twoEngines', { SLIPWAY_TEST_SHARED_WRITES: '500' }],
  ['fullDisk', {}],
];

export async function run(): Promise<void> {
  for (const [file, environment] of suites) {
    const mocha = join(repository, 'node_modules/mocha/bin/mocha.js');
    const child = spawn(process.execPath, [mocha, '--no-config', `test/engine/${file}.test.ts`], {
      cwd: repository,
      env: { ...process.env, ...environment },
      stdio: 'inherit',
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) process.exitCode = 1;
  }
}
