import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { inTemporaryFolder, startHeadless } from '../engine/headless.ts';
import { startMlflowServer } from '../interop/mlflowServer.ts';
import { median } from './median.ts';
import { createRawClient, createRun } from './rawClient.ts';

const slipwayRounds = 9;
const mlflowRounds = 3;

/** After so long nothing of a start is left to do. */
const restMilliseconds = 3000;

/**
 * How long it takes from the start of the process until the first run was created, over an empty store and over one that
 * is there already, and how much memory the processes hold when nothing happens: Slipway beside MLflow's own server with
 * its SQLite store, which starts four workers.
 */
export async function run(): Promise<void> {
  const python = process.env.SLIPWAY_TEST_PYTHON;
  const own: number[] = [];
  const again: number[] = [];
  const ownMemory: number[] = [];
  for (let round = 0; round < slipwayRounds; round += 1) {
    await inTemporaryFolder(async (folder) => {
      own.push(await slipwayStart(folder, ownMemory));
      again.push(await slipwayStart(folder, []));
    });
  }
  const theirs: number[] = [];
  const theirMemory: number[] = [];
  for (let round = 0; python && round < mlflowRounds; round += 1) {
    const begin = performance.now();
    const server = await startMlflowServer(python, 120_000, 4);
    const client = createRawClient(server.url);
    try {
      await createRun(client);
      theirs.push(performance.now() - begin);
      await wait(restMilliseconds);
      theirMemory.push(memoryOfTree(server.pid));
    } finally {
      client.close();
      server.close();
    }
  }
  const ratio = (median(theirs) / median(own)).toFixed(0);
  console.log(`  start to first created run: Slipway ${median(own).toFixed(0)} ms with a new store`);
  console.log(`                              Slipway ${median(again).toFixed(0)} ms with an old one`);
  console.log(`                              MLflow  ${median(theirs).toFixed(0)} ms: ${ratio} times that`);
  const lighter = (median(theirMemory) / median(ownMemory)).toFixed(0);
  console.log(`  memory at rest:             Slipway ${megabytes(ownMemory)}`);
  console.log(`                              MLflow  ${megabytes(theirMemory)}: ${lighter} times that`);
}

/** Starts, uses and ends one; gives milliseconds, and adds bytes at rest to `memory`. */
async function slipwayStart(folder: string, memory: number[]): Promise<number> {
  const begin = performance.now();
  const engine = await startHeadless(folder, ['--no-token']);
  const client = createRawClient(engine.url);
  try {
    await createRun(client);
    const took = performance.now() - begin;
    await wait(restMilliseconds);
    memory.push(memoryOfTree(engine.process.pid ?? 0));
    return took;
  } finally {
    client.close();
    await engine.stop();
  }
}

/** Bytes that a process and its children hold in memory, by /proc; NaN where there is no such thing. */
function memoryOfTree(pid: number): number {
  if (!existsSync('/proc/self/status')) return Number.NaN;
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = all.filter((other) => parentOf(other) === pid);
  return children.reduce((sum, child) => sum + memoryOfTree(Number(child)), memoryOf(pid));
}

function parentOf(pid: string): number | null {
  const match = /^PPid:\s+(\d+)/m.exec(readProcess(pid, 'status'));
  return match ? Number(match[1]) : null;
}

/** The resident set: what `top` and `ps` show. */
function memoryOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readProcess(String(pid), 'status'));
  return match ? Number(match[1]) * 1024 : 0;
}

/** The empty text for a process that ended meanwhile. */
function readProcess(pid: string, file: string): string {
  try {
    return readFileSync(join('/proc', pid, file), 'utf8');
  } catch {
    return '';
  }
}

function megabytes(values: readonly number[]): string {
  return `${(median(values) / 1e6).toFixed(0)} MB`;
}
