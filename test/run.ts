import { globSync } from 'node:fs';
import { join } from 'node:path';
import { addCounts, type Counts, noCounts, summary } from './report/counts.ts';
import { runMocha } from './report/runMocha.ts';
import { buildExtension } from './toolchain/build.ts';
import { repository } from './toolchain/cacheFolder.ts';
import { pythonPeers } from './toolchain/pythonPeers.ts';
import { runSuites } from './workbench/runSuites.ts';

/**
 * Runs all tests and prints `N passed, N failed` as its last line.
 *
 *   npm test                        everything
 *   npm test -- unit engine         only these groups
 *
 * `workbench` runs inside a real VS Code; `journey` and `vsix` drive one from outside.
 */
const groups = ['unit', 'engine', 'scorer', 'browser', 'interop', 'workbench', 'journey', 'vsix'] as const;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !groups.some((group) => group === name));
if (unknown.length > 0)
  throw new Error(`No such group: ${unknown.join(', ')}. There are ${groups.join(', ')}.`);

const continuousIntegration = Boolean(process.env.CI);
const python = await pythonPeers();
await buildExtension();
const peers = python === null ? {} : { SLIPWAY_TEST_PYTHON: python };

let counts: Counts = noCounts;
for (const group of groups.filter((name) => asked.length === 0 || asked.includes(name))) {
  counts = addCounts(counts, await runGroup(group));
}

if (counts.skips.length > 0) console.log(`\nSkipped:\n${counts.skips.map((name) => `  ${name}`).join('\n')}`);
if (counts.failures.length > 0)
  console.log(`\nFailed:\n${counts.failures.map((name) => `  ${name}`).join('\n')}`);
const { line, ok } = summary(counts, continuousIntegration);
console.log(`\n${line}`);
process.exitCode = ok ? 0 : 1;

async function runGroup(group: (typeof groups)[number]): Promise<Counts> {
  const started = performance.now();
  const found = await countGroup(group);
  if (found !== null) console.log(`${group}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  return found ?? noCounts;
}

async function countGroup(group: (typeof groups)[number]): Promise<Counts | null> {
  if (group === 'workbench') {
    return runSuites({ ...peers, ...(process.env.CI && { CI: process.env.CI }) });
  }
  const files = globSync(`test/${group}/**/*.test.ts`, { cwd: repository }).sort();
  if (files.length === 0) return null;
  console.log(`\n${group}\n`);
  return runMocha(
    group,
    files.map((file) => join(repository, file)),
    { ...process.env, ...peers },
  );
}
