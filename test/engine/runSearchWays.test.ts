import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Database, openDatabase } from '../../src/engine/database/connection.ts';
import { mostClauses } from '../../src/engine/tracking/filterGrammar.ts';
import { createRunSearchStore, type RunSearchLimits } from '../../src/engine/tracking/runSearchStore.ts';
import type { RunRecord } from '../../src/engine/tracking/types.ts';
import {
  type SearchedRun,
  searchedRun,
  searchInPages,
  someClauses,
  someOrder,
  someOrderings,
  someSearch,
  writeRuns,
} from './searchedRuns.ts';

/** Gathers always, walks always and puts each clause's runs in a set, walks always and looks at each run. */
const ways: readonly RunSearchLimits[] = [
  { toGather: 1000, toCollect: 1000 },
  { toGather: 0, toCollect: 1000 },
  { toGather: 0, toCollect: 0 },
  { toGather: 2, toCollect: 3 },
];

describe('The ways in which a search of runs goes', () => {
  let folder: string;
  let database: Database;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-ways-'));
    database = openDatabase(join(folder, 'store.db'));
  });
  after(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });

  it('find the same runs in the same order, each once, on pages of any size', () => {
    fc.assert(
      fc.property(
        fc.array(searchedRun, { maxLength: 12 }),
        someSearch,
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom<readonly ('active' | 'deleted')[]>(['active'], ['deleted'], ['active', 'deleted']),
        (runs, [clauses, order], size, stages) => {
          const half = runs.length >> 1;
          const experiments = [
            writeRuns(database, runs.slice(0, half)),
            writeRuns(database, runs.slice(half)),
          ];
          const asked = { filter: clauses.join(' AND '), order, stages };
          for (const among of [experiments, experiments.slice(1)]) {
            const found = ways.flatMap((way) =>
              [size, 1000].map((limit) =>
                searchInPages(
                  createRunSearchStore(database, way),
                  { ...asked, experiments: among },
                  limit,
                ).map(({ runId }) => runId),
              ),
            );
            for (const ids of found) assert.deepEqual(ids, found[0]);
            assert.equal(new Set(found[0]).size, found[0]?.length);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('give every run of an unfiltered search, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(searchedRun, { maxLength: 20 }), someOrder, (runs, order) => {
        const experiments = [writeRuns(database, runs)];
        for (const way of ways) {
          const asked = { filter: '', order, experiments, stages: ['active', 'deleted'] as const };
          assert.equal(searchInPages(createRunSearchStore(database, way), asked, 3).length, runs.length);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('read no table or index from end to end', () => {
    const asked: string[] = [];
    const listening: Database = {
      ...database,
      prepare(sql) {
        asked.push(sql);
        return database.prepare(sql);
      },
    };
    const experiment = writeRuns(database, [aRun]);
    for (const way of ways) {
      const store = createRunSearchStore(listening, way);
      for (const order of ['', ...someOrderings]) {
        for (const filter of ['', ...someClauses]) {
          searchInPages(
            store,
            {
              filter,
              order: order === '' ? [] : [order],
              experiments: [experiment],
              stages: ['active'],
            },
            1,
          );
        }
      }
    }
    assert.ok(asked.length > 500);
    for (const sql of asked) {
      const count = sql.split('?').length - 1;
      const plan = database
        .prepare<unknown[], { readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...Array.from({ length: count }, () => '1'));
      for (const { detail } of plan) {
        // What is left to scan is a list of the statement's own: parameters, or the candidates that it wrote down.
        if (/VIRTUAL TABLE|SCAN \(subquery|^SCAN c$/.test(detail)) continue;
        assert.doesNotMatch(detail, /^SCAN/, `${detail}\n${sql}`);
      }
    }
  });

  it('take as many clauses and orderings as a search may have', () => {
    const experiments = [writeRuns(database, [aRun, { ...aRun, rate: '2' }])];
    const clauses = Array.from({ length: mostClauses }, (_, index) =>
      index % 3 === 0
        ? `metrics.loss > -${index}`
        : index % 3 === 1
          ? "params.rate = '1'"
          : `tags.t${index} IS NULL`,
    );
    const order = ['metrics.loss', ...Array.from({ length: 49 }, (_, index) => `params.p${index} DESC`)];
    for (const way of ways) {
      const asked = { filter: clauses.join(' AND '), order, experiments, stages: ['active'] as const };
      assert.equal(searchInPages(createRunSearchStore(database, way), asked, 10).length, 1);
    }
  });

  it('compare an infinity as the largest number, and nothing with NaN but as unequal', () => {
    const losses = [Number.NEGATIVE_INFINITY, 0, Number.MAX_VALUE, Number.POSITIVE_INFINITY, Number.NaN];
    const experiments = [
      writeRuns(
        database,
        losses.map((loss) => ({ ...aRun, loss })),
      ),
    ];
    const shown = (found: readonly RunRecord[]) =>
      found.map(({ runId }) => Number(runId.split('-')[1])).toSorted();
    const orders = [[], ['metrics.loss'], ['metrics.loss DESC']];
    for (const [way, order] of ways.flatMap((each) => orders.map((keys) => [each, keys] as const))) {
      const store = createRunSearchStore(database, way);
      const find = (filter: string) =>
        shown(searchInPages(store, { filter, order, experiments, stages: ['active'] }, 10));
      assert.deepEqual(find('metrics.loss = 1.7976931348623157e308'), [2, 3]);
      assert.deepEqual(find('metrics.loss != 1.7976931348623157e308'), [0, 1, 4]);
      assert.deepEqual(find('metrics.loss > 1.7976931348623157e308'), []);
      assert.deepEqual(find('metrics.loss >= -1.7976931348623157e308'), [0, 1, 2, 3]);
      assert.deepEqual(find('metrics.loss < -1.7976931348623157e308'), []);
      assert.deepEqual(find('metrics.loss > -1.7976931348623157e308'), [1, 2, 3]);
      assert.deepEqual(find('metrics.loss < 1e400'), [0, 1, 2, 3]);
      assert.deepEqual(find('metrics.loss = 1e400'), []);
      assert.deepEqual(find('metrics.loss != 1e400'), [0, 1, 2, 3, 4]);
      assert.deepEqual(find('metrics.loss >= 1e400'), []);
      assert.deepEqual(find('metrics.loss > -1e400'), [0, 1, 2, 3]);
      assert.deepEqual(find('metrics.loss <= 0'), [0, 1]);
    }
  });
});

const aRun: SearchedRun = {
  name: 'a',
  start: 1000,
  end: null,
  status: 'RUNNING',
  stage: 'active',
  loss: 1,
  score: null,
  rate: '1',
  team: null,
  dataset: null,
};
