import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { mock } from 'node:test';
import { inferenceLogFile, storeLayout } from '../../src/engine/layout.ts';
import { createRequestLog } from '../../src/engine/serving/requestLog.ts';
import { type RequestFilterInput, requestFilter } from '../../src/protocol/requests.ts';
import { writeInferenceLogFile } from '../inferenceLogFile.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';

describe('Pages of an inference log', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => removeFolder(folder));

  /** A log of so many requests, each with inputs of so many characters. */
  const writeLog = (count: number, characters: number, blockSize = 900) => {
    const file = inferenceLogFile(storeLayout(folder), 'wine');
    mkdirSync(dirname(file), { recursive: true });
    const inputs = { x: ['a'.repeat(characters)] };
    writeInferenceLogFile(
      file,
      Array.from({ length: count }, (_, index) => ({ id: `r${index}`, receivedAt: 1, inputs })),
      [],
      blockSize,
    );
  };
  const openLog = () =>
    createRequestLog({
      layout: storeLayout(folder),
      workers: { run: () => Promise.reject(new Error('no worker')) },
      modelOf: () => 'wine',
      loadable: () => Promise.reject(new Error('no model')),
    });
  const pages = (limit: number, some: RequestFilterInput = {}) => {
    const log = openLog();
    const read = [];
    let before: number | null = null;
    do {
      const page = log.page('wine', requestFilter.parse(some), before, limit);
      read.push(page.requests);
      before = page.before;
    } while (before !== null);
    return read;
  };
  const allIds = (count: number) => Array.from({ length: count }, (_, index) => `r${count - 1 - index}`);

  it('of wide requests end early, and hold every request once, newest first', () => {
    writeLog(40, 1_000_000, 3);
    const read = pages(1000);
    assert.ok(
      read.every((page) => page.length <= 8),
      `${read.map((page) => page.length)}`,
    );
    assert.deepEqual(
      read.flat().map(({ requestId }) => requestId),
      allIds(40),
    );
    assert.ok(read.flat().every(({ inputs }) => inputs?.length === 4000));
  });

  it('get further though their time is over before the first request is read', () => {
    writeLog(3, 10);
    const clock = { milliseconds: 0 };
    const now = mock.method(performance, 'now', () => {
      clock.milliseconds += 10_000;
      return clock.milliseconds;
    });
    try {
      const { requests } = openLog().page('wine', requestFilter.parse({}), null, 10);
      assert.deepEqual(
        requests.map(({ requestId }) => requestId),
        allIds(3),
      );
    } finally {
      now.mock.restore();
    }
  });

  it('of many requests hold every request once, however many a page has, and none that does not fit', () => {
    writeLog(4_500, 10);
    for (const limit of [1000, 999]) {
      assert.deepEqual(
        pages(limit)
          .flat()
          .map(({ requestId }) => requestId),
        allIds(4_500),
      );
    }
    assert.deepEqual(pages(10, { failed: true }).flat(), []);
    assert.deepEqual(
      pages(10, { requestId: 'r3' })
        .flat()
        .map(({ requestId }) => requestId),
      ['r3'],
    );
  });
});
