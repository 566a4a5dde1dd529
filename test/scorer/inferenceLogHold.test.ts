import assert from 'node:assert/strict';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { inferenceLogOptions } from '../../src/protocol/scorer.ts';
import { type InferenceLogCapacity, openInferenceLog, usualCapacity } from '../../src/scorer/inferenceLog.ts';
import { readLog, waitForRows } from './inferenceLogRows.ts';
import { removeFolder, temporaryFolder } from './scorerProcess.ts';

describe('An inference log that falls behind', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  const open = async (name: string, capacity: Partial<InferenceLogCapacity>) => {
    const file = join(folder, name);
    const warnings: string[] = [];
    const options = inferenceLogOptions.parse({ file, flushMilliseconds: 1 });
    const log = await openInferenceLog(options, (message) => warnings.push(message), {
      ...usualCapacity,
      ...capacity,
    });
    const add = (count: number) => {
      for (let index = 0; index < count; index++) {
        log.add({
          requestId: `${index}`,
          receivedAt: 1,
          status: 400,
          latencyMicroseconds: 1,
          variant: 'version',
          values: null,
          loaded: null,
        });
      }
    };
    const holder = new BetterSqlite3(file);
    holder.exec('BEGIN IMMEDIATE');
    return { file, log, warnings, add, release: () => holder.close() };
  };

  it('lets new requests wait until it can take them, and loses none', async () => {
    const { file, log, warnings, add, release } = await open('waits.db', { requests: 100 });
    add(99);
    assert.equal(log.room(), null);
    // Those that were under way are taken, too.
    add(51);
    const room = log.room();
    assert.ok(room);
    let waited = true;
    const entered = room.then(() => assert.equal(waited, false));
    await new Promise((resolve) => setTimeout(resolve, 200));
    waited = false;
    release();
    await entered;
    assert.equal(log.room(), null);
    assert.equal((await waitForRows(file, 150)).length, 150);
    await log.close();
    assert.ok(
      warnings.every((warning) => !warning.includes('missing')),
      warnings.join('\n'),
    );
  });

  it('stops no request for longer than a moment, and says how many are missing', async () => {
    const { file, log, warnings, add, release } = await open('stuck.db', {
      requests: 10,
      holdMilliseconds: 300,
    });
    add(10);
    await log.room();
    assert.equal(log.room(), null);
    add(7);
    log.addFeedback({ requestId: '1', receivedAt: 1, truth: null, reward: 1 });
    release();
    await waitForRows(file, 10);
    await log.close();
    assert.equal(readLog(file).length, 10);
    assert.deepEqual(
      warnings.filter((warning) => warning.includes('missing')),
      [
        `7 requests are missing from the inference log ${file}.`,
        `1 pieces of feedback are missing from the inference log ${file}.`,
      ],
    );
  });
});
