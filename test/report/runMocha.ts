import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { repository } from '../toolchain/cacheFolder.ts';
import { countsVariable } from './countingReporter.ts';
import { addCounts, type Counts, noCounts } from './counts.ts';

/** How long a finished test process may take to end before it counts as one that left something open. */
const patience = 30_000;

/**
 * Runs test files, each in a mocha process of its own, so many at a time.
 *
 * A file that is still slow when the others are through decides how long all take: the slow ones should come first.
 */
export async function runSideBySide(
  name: string,
  files: readonly string[],
  env: NodeJS.ProcessEnv,
  atOnce: number,
): Promise<Counts> {
  const waiting = [...files];
  const runLane = async (): Promise<Counts> => {
    const file = waiting.shift();
    if (file === undefined) return noCounts;
    const counts = await runMocha(`${name}: ${basename(file)}`, [file], env, 'atEnd');
    return addCounts(counts, await runLane());
  };
  const lanes = await Promise.all(Array.from({ length: atOnce }, runLane));
  return lanes.reduce(addCounts, noCounts);
}

/**
 * Runs test files in a mocha process of their own.
 *
 * A process that reports its counts and then does not end left a socket, a process or a timer open: it is killed and
 * counted as a failure. One that ends without counts is a failure too.
 *
 * @param output `live` as it comes, or `atEnd` all together, for a process that runs beside others.
 */
export async function runMocha(
  name: string,
  files: readonly string[],
  env: NodeJS.ProcessEnv,
  output: 'live' | 'atEnd' = 'live',
): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-counts-'));
  const countsFile = join(folder, 'counts.json');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'mochaProcess.ts'), ...files], {
    cwd: repository,
    env: { ...env, [countsVariable]: countsFile },
    stdio: output === 'live' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => said.push(piece));
  let leftOpen = false;
  let deadline: NodeJS.Timeout | null = null;
  const watcher = watch(folder, () => {
    deadline ??= setTimeout(() => {
      leftOpen = true;
      child.kill('SIGKILL');
      // What it started may hold on to them.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, patience);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  process.stdout.write(Buffer.concat(said));
  watcher.close();
  if (deadline) clearTimeout(deadline);
  const text = await readFile(countsFile, 'utf8').catch(() => null);
  await rm(folder, { recursive: true, force: true });
  if (text === null) {
    return failed(name, `The test process ended with ${code} before its end.`);
  }
  const counts: Counts = JSON.parse(text);
  if (!leftOpen) return counts;
  return addCounts(
    counts,
    failed(name, 'The tests ended but their process did not: something was left open.'),
  );
}

/** What is wrong with a whole run counts as one failure. */
export function failed(name: string, reason: string): Counts {
  return { ...noCounts, failures: [{ name, file: null, reason }] };
}
