import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createChanges } from '../../src/engine/changes.ts';
import { errorOfKind } from '../errorOfKind.ts';
import { inTemporaryFolder } from './headless.ts';
import { requestsOf } from './inferenceLog.ts';
import { ever, onStage, openMonitoring, type Stage, unwatched, workerScript } from './monitoringStage.ts';
import { csvOf, inputNames, tableRows } from './wineTable.ts';

describe('worker process', () => {
  const longJob = async (stage: Stage): Promise<string> => {
    const file = join(stage.workspace, 'train.csv');
    writeFileSync(file, csvOf(tableRows(1, false)));
    stage.log(Array.from({ length: 40 }, () => requestsOf(tableRows(2, false), inputNames)).flat());
    return file;
  };
  const childProcesses = async () => {
    // Node lets go of a process at the end of the turn in which it told of its end.
    await setImmediate();
    await setImmediate();
    return process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;
  };

  it('is gone when its request was cancelled', async () => {
    await onStage([], async (stage) => {
      const referenceFile = await longJob(stage);
      const before = await childProcesses();
      const abort = new AbortController();
      await assert.rejects(
        stage.monitoring.drift(
          { endpoint: 'wine', referenceFile, ...ever },
          { signal: abort.signal, progress: () => abort.abort() },
        ),
        errorOfKind('cancelled'),
      );
      assert.equal(await childProcesses(), before);
      await assert.rejects(
        stage.monitoring.drift(
          { endpoint: 'wine', referenceFile, ...ever },
          { ...unwatched, signal: abort.signal },
        ),
        errorOfKind('cancelled'),
      );
    });
  });

  it('is gone when the service was closed', async () => {
    await onStage([], async (stage) => {
      const referenceFile = await longJob(stage);
      const before = await childProcesses();
      const started = Promise.withResolvers<void>();
      const report = stage.monitoring.drift(
        { endpoint: 'wine', referenceFile, ...ever },
        { ...unwatched, progress: () => started.resolve() },
      );
      const rejected = assert.rejects(report, errorOfKind('cancelled'));
      await started.promise;
      await stage.monitoring.close();
      assert.equal(await childProcesses(), before);
      await rejected;
    });
  });

  it('is gone when its result is there', async () => {
    await onStage([], async (stage) => {
      const referenceFile = await longJob(stage);
      const before = await childProcesses();
      await stage.compare(referenceFile);
      assert.equal(await childProcesses(), before);
    });
  });

  it('ends when its parent was killed', async () => {
    // The worker inherits the pipe, which therefore ends only when both are gone.
    const parent = spawn(
      process.execPath,
      [
        '-e',
        `const { fork } = require('node:child_process');
         fork(process.argv[1], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }).on('spawn', () => console.log('on'));`,
        workerScript,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(parent.stdout, 'data');
    parent.kill('SIGKILL');
    await once(parent.stdout, 'close');
  });

  it('that dies is an error, and so is one that cannot start', async () => {
    await inTemporaryFolder(async (folder) => {
      const crashing = join(folder, 'worker.cjs');
      writeFileSync(crashing, `process.once('message', () => process.exit(7));`);
      for (const script of [crashing, join(folder, 'none.cjs')]) {
        const told: string[] = [];
        const changes = createChanges();
        changes.listen((event, data) => told.push(`${event} ${JSON.stringify(data)}`));
        const monitoring = openMonitoring({ workspace: folder, changes, script });
        await assert.rejects(
          monitoring.drift({ endpoint: 'wine', referenceFile: join(folder, 'a.csv'), ...ever }, unwatched),
          errorOfKind('internal'),
        );
        assert.equal(told.length, 1);
        await monitoring.close();
      }
    });
  });
});
