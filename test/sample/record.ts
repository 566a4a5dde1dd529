/**
 * Records the runs that the sample project ships with: `npm run sample:record`.
 *
 * Everything is truly done: an engine over a copy of the project, `train.py` several times, versions registered and
 * promoted, one of them served and asked by `replay.py`. What lies in `.slipway/` then is shipped.
 *
 * Run it from a clean, committed working tree: the runs name its commit. `SLIPWAY_TEST_PYTHON` names the Python.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { repository } from '../toolchain/cacheFolder.ts';
import { run } from '../toolchain/command.ts';
import { pythonPeers } from '../toolchain/pythonPeers.ts';
import { sampleWorkspace } from '../workbench/sampleWorkspace.ts';
import { folderSize, machinePaths } from './machinePaths.ts';
import { openSampleEngine } from './sampleEngine.ts';

const modelName = 'flight-delays';
const largestSample = 2_000_000;

const trainings = [
  { name: 'logistic-baseline', args: ['--model', 'logistic', '--epochs', '60'] },
  { name: 'forest', args: ['--model', 'forest', '--max-depth', '5', '--epochs', '80'] },
  { name: 'boosting-deep', args: ['--max-depth', '5', '--learning-rate', '0.1', '--epochs', '120'] },
  { name: 'boosting', args: ['--epochs', '200'] },
  { name: 'boosting-shallow', args: ['--max-depth', '2', '--learning-rate', '0.05', '--epochs', '200'] },
] as const;

const sample = join(repository, 'media', 'sample');
const recorded = join(sample, 'recorded', '.slipway');

const python = await pythonPeers();
if (python === null) throw new Error('Recording needs a Python with the packages of test/requirements.txt.');
const { folder, remove } = await sampleWorkspace(false);
try {
  assert.ok(!existsSync(join(folder, '.slipway')), `somebody works in ${sample}: remove its .slipway/ first`);
  await nameTheCommit(folder);
  await recordIn(folder, python);
  await clean(join(folder, '.slipway'));
  assert.deepEqual(await machinePaths(join(folder, '.slipway'), [folder, repository]), []);
  await rm(recorded, { recursive: true, force: true });
  await cp(join(folder, '.slipway'), recorded, { recursive: true });
} finally {
  await remove();
}
const size = await folderSize(sample);
console.log(
  `The sample project has ${size.toLocaleString('en')} bytes, ${(await folderSize(recorded)).toLocaleString('en')} of them recorded.`,
);
assert.ok(size < largestSample, `the sample project must stay below ${largestSample} bytes`);

/** Makes the copy a repository at the commit of this one, so that mlflow finds the commit as it does for a person. */
async function nameTheCommit(project: string): Promise<void> {
  await run('git', ['init', '--quiet', '--initial-branch', 'main', project]);
  await run('git', ['-C', project, 'fetch', '--quiet', '--depth', '1', repository, 'HEAD']);
  await run('git', ['-C', project, 'update-ref', 'refs/heads/main', 'FETCH_HEAD']);
}

async function recordIn(project: string, interpreter: string): Promise<void> {
  const { engine, python, call } = await openSampleEngine(project, interpreter);
  try {
    for (const { name, args } of trainings) {
      console.log(`Training ${name}`);
      await python('train.py', '--run-name', name, ...args);
    }
    const promote = (version: number, stage: 'Staging' | 'Production', why: string) =>
      engine.registry.promote({ name: modelName, version, stage, who: 'sample', why });
    const register = (runName: string) => {
      const run = engine.tracking.runsWithModels(100).find((candidate) => candidate.name === runName);
      assert.ok(run, runName);
      const [model] = engine.tracking.runDetail(run.runId).models;
      assert.ok(model, runName);
      return engine.registry.register({ name: modelName, runId: run.runId, modelId: model.modelId }).version;
    };

    const baseline = register('logistic-baseline');
    promote(baseline, 'Production', 'The first that is better than chance.');
    const shallow = register('boosting-shallow');
    promote(shallow, 'Staging', 'Best validation AUC of all runs.');
    promote(shallow, 'Production', 'Better than the baseline in validation loss and AUC.');
    const forest = register('forest');
    promote(forest, 'Staging', 'A second opinion: to be compared with version 2.');

    const about = 'Says, as an aircraft leaves the gate, whether it will arrive 15 minutes late or more.';
    await call('PATCH', 'registered-models/update', { name: modelName, description: about });
    for (const [alias, version] of [
      ['champion', shallow],
      ['challenger', forest],
    ] as const) {
      await call('POST', 'registered-models/alias', { name: modelName, alias, version: String(version) });
    }

    const endpoint = await engine.serving.start({ modelName, modelVersion: shallow, port: null });
    assert.ok(endpoint.url);
    console.log(await python('replay.py', '--url', endpoint.url));
    await engine.serving.stop(modelName);
  } finally {
    await engine.close();
  }
}

/** Leaves what a copy needs: whole database files without a log beside them, and no port of this machine. */
async function clean(store: string): Promise<void> {
  // It would hide everything from the repository that the sample is shipped from; the engine writes it anew.
  await rm(join(store, '.gitignore'), { force: true });
  await rm(join(store, 'cache'), { recursive: true, force: true });
  const logs = (await readdir(join(store, 'inference'))).filter((name) => name.endsWith('.db'));
  for (const file of [join(store, 'store.db'), ...logs.map((name) => join(store, 'inference', name))]) {
    const database = new BetterSqlite3(file);
    try {
      if (file.endsWith('store.db')) database.exec('UPDATE endpoints SET port = NULL, enabled = 0');
      database.pragma('wal_checkpoint(TRUNCATE)');
      database.pragma('journal_mode = DELETE');
      database.exec('VACUUM');
    } finally {
      database.close();
    }
  }
}
