import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '../toolchain/cacheFolder.ts';
import { countsVariable } from './countingReporter.ts';
import type { Counts } from './counts.ts';

/** How long a finished test process may take to end before it counts as one that left something open. */
const patience = 30_000;

/**
 * Runs test files in a mocha process of their own.
 *
 * A process that reports its counts and then does not end left a socket, a process or a timer open: it is killed and
 * counted as a failure. One that ends without counts is a failure too.
 */
export async function runMocha(
  name: string,
  files: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-counts-'));
  const countsFile = join(folder, 'counts.json');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'mochaProcess.ts'), ...files], {
    cwd: repository,
    env: { ...env, [countsVariable]: countsFile },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let leftOpen = false;
  let deadline: NodeJS.Timeout | null = null;
  const watcher = watch(folder, () => {
    deadline ??= setTimeout(() => {
      leftOpen = true;
      child.kill('SIGKILL');
    }, patience);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  watcher.close();
  if (deadline) clearTimeout(deadline);
  const text = await readFile(countsFile, 'utf8').catch(() => null);
  await rm(folder, { recursive: true, force: true });
  if (text === null) {
    return {
      passed: 0,
      failures: [`${name}: the test process ended with ${code} before its end`],
      skips: [],
    };
  }
  const counts: Counts = JSON.parse(text);
  if (!leftOpen) return counts;
  const complaint = `${name}: the tests ended but their process did not; something was left open`;
  return { ...counts, failures: [...counts.failures, complaint] };
}
