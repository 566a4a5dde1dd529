import { globSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  addCounts,
  afterRepetition,
  afterSecondRun,
  type Counts,
  failedFiles,
  noCounts,
  summary,
} from './report/counts.ts';
import { failed, runMocha, runSideBySide } from './report/runMocha.ts';
import { buildExtension } from './toolchain/build.ts';
import { cacheFolder, repository } from './toolchain/cacheFolder.ts';
import { allPythonPeers } from './toolchain/pythonPeers.ts';
import { runSuites } from './workbench/runSuites.ts';

/**
 * Runs all tests and prints `N passed, N failed` as its last line.
 *
 *   npm test                        everything
 *   npm test -- unit engine         only these groups
 *
 * What failed and was skipped is also in `last-run.txt` of the cache folder. `workbench` runs inside a real VS Code; `journey` and `vsix` drive one from outside.
 */
const groups = ['unit', 'engine', 'scorer', 'browser', 'interop', 'workbench', 'journey', 'vsix'] as const;

type Group = (typeof groups)[number];
type Peers = Readonly<Record<string, string>>;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !groups.some((group) => group === name));
if (unknown.length > 0)
  throw new Error(`No such group: ${unknown.join(', ')}. There are ${groups.join(', ')}.`);

const continuousIntegration = Boolean(process.env.CI);
let counts: Counts = noCounts;
try {
  const peers = await allPythonPeers();
  await buildExtension();
  for (const group of groups.filter((name) => asked.length === 0 || asked.includes(name))) {
    counts = addCounts(counts, await runGroup(group, peers));
  }
} catch (error) {
  counts = addCounts(counts, broken('preparing the tests', error));
}

const { text, ok } = summary(counts, continuousIntegration);
// A run of half an hour prints more than what is kept of it: this says later what failed.
await mkdir(cacheFolder, { recursive: true });
await writeFile(join(cacheFolder, 'last-run.txt'), text);
console.log(`\nOutcome\n\n${text}`);
process.exitCode = ok ? 0 : 1;

/** What could not even run counts as one failure, so that the last line always stands. */
function broken(what: string, error: unknown): Counts {
  console.error(error);
  return failed(what, error instanceof Error ? error.message : String(error));
}

async function runGroup(group: Group, peers: Peers): Promise<Counts> {
  const started = performance.now();
  const found = await countGroup(group, peers).catch((error: unknown) => broken(group, error));
  if (found !== null) console.log(`${group}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  return found ?? noCounts;
}

async function countGroup(group: Group, peers: Peers): Promise<Counts | null> {
  if (group === 'workbench') {
    const run = () => runSuites({ ...peers, ...(process.env.CI && { CI: process.env.CI }) });
    const counts = await run();
    return counts.failures.length === 0 ? counts : afterRepetition(counts, await run());
  }
  const files = globSync(`test/${group}/**/*.test.ts`, { cwd: repository }).sort();
  if (files.length === 0) return null;
  console.log(`\n${group}\n`);
  const paths = files.map((file) => join(repository, file));
  // A thread of MLflow's telemetry changes the environment while others read it, at times to their end.
  const environment = { ...process.env, ...peers, MLFLOW_DISABLE_TELEMETRY: 'true' };
  // These wait for one program after the other, each of which keeps one processor busy.
  const counts =
    group === 'interop'
      ? await runSideBySide(group, paths, environment, Math.min(availableParallelism(), 4))
      : await runMocha(group, paths, environment);
  // A test of pure functions fails for a reason, if only with one of a thousand generated values.
  return group === 'unit' ? counts : runAgain(group, counts, environment);
}

/** Tests of processes, browsers and clocks may fail for what else the machine did: their files get a second run, alone. */
async function runAgain(group: Group, counts: Counts, environment: NodeJS.ProcessEnv): Promise<Counts> {
  const files = failedFiles(counts);
  if (files.length === 0) return counts;
  console.log(`\n${group}, once more: files of tests that failed\n`);
  return afterSecondRun(counts, await runSideBySide(`${group}, once more`, files, environment, 1));
}
