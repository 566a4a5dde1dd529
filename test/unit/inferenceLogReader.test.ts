import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import fc from 'fast-check';
import { createInferenceLogReader, type LogRange } from '../../src/protocol/inferenceLogReader.ts';
import { writeInferenceLogFile } from '../inferenceLogFile.ts';

describe('reader of an inference log', () => {
  let folder: string;
  let database: BetterSqlite3.Database;
  // Times that go to and fro, as several processes write at once; ids that JSON writes differently, and that repeat.
  const ids = ['a', 'a"b', 'ü\n', '', 'a'];
  const all = Array.from({ length: 97 }, (_, index) => ({
    id: ids[index % ids.length] ?? '',
    receivedAt: 100 + index * 10 - (index % 7) * 25,
    inputs: index % 11 === 0 ? null : { x: [index], name: [`n${index}`] },
    outputs: index % 11 === 0 ? null : { y: [index / 2] },
    variant: index % 3 === 0 ? 'shadow' : 'stable',
  }));
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-reader-'));
    const file = join(folder, 'wine.db');
    writeInferenceLogFile(file, all.slice(0, 60), [], 7);
    writeInferenceLogFile(file, all.slice(60), [], 1);
    database = new BetterSqlite3(file, { readonly: true });
  });
  after(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });

  const range: fc.Arbitrary<LogRange> = fc.record(
    {
      from: fc.option(fc.integer({ min: 0, max: 1200 })),
      to: fc.option(fc.integer({ min: 0, max: 1200 })),
      requestId: fc.option(fc.constantFrom(...ids, 'nobody')),
      since: fc.integer({ min: 0, max: 110 }),
      before: fc.integer({ min: 0, max: 110 }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );

  it('gives the requests of a range in either order', () => {
    const reader = createInferenceLogReader(database);
    fc.assert(
      fc.property(range, (given) => {
        const { from = null, to = null, requestId = null, since = 0, before = 1000 } = given;
        const expected = all.flatMap((request, index) => {
          const id = index + 1;
          const isMeant =
            (from === null || request.receivedAt >= from) &&
            (to === null || request.receivedAt <= to) &&
            (requestId === null || request.id === requestId);
          return isMeant && id >= since && id < before ? [id] : [];
        });
        assert.deepEqual(
          Array.from(reader.oldestFirst(given), ({ id }) => id),
          expected,
        );
        assert.deepEqual(
          Array.from(reader.newestFirst(given), ({ id }) => id),
          expected.toReversed(),
        );
      }),
    );
    assert.deepEqual(reader.ids(), { first: 1, next: all.length + 1 });
  });

  it('gives what was asked and answered, as text and by name', () => {
    for (const request of createInferenceLogReader(database).oldestFirst({})) {
      const { id, inputs, outputs, receivedAt, variant } = all[request.id - 1] ?? assert.fail();
      assert.deepEqual(
        [request.requestId, request.receivedAt, request.variant, request.rowCount],
        [id, receivedAt, variant, inputs ? 1 : 0],
      );
      assert.deepEqual([request.model, request.version], inputs ? ['wine', 1] : [null, null]);
      assert.equal(request.text('inputs'), inputs && JSON.stringify(inputs));
      assert.equal(request.text('outputs'), outputs && JSON.stringify(outputs));
      assert.deepEqual(request.values('inputs'), inputs && new Map(Object.entries(inputs)));
    }
  });

  it('gives nothing of a file whose tables are just being made, and refuses another version', () => {
    const empty = new BetterSqlite3(':memory:');
    const reader = createInferenceLogReader(empty);
    assert.deepEqual([...reader.newestFirst({}), ...reader.oldestFirst({})], []);
    assert.deepEqual(reader.ids(), { first: 1, next: 1 });
    empty.pragma('user_version = 99');
    assert.throws(() => createInferenceLogReader(empty), /another version of Slipway/);
    empty.close();
  });
});
