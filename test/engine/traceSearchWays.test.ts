import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Database, openDatabase } from '../../src/engine/database/connection.ts';
import { readTraceFilter, readTraceOrder } from '../../src/engine/tracking/traceSearchRules.ts';
import { createTraceSearchStore, type TraceSearchStore } from '../../src/engine/tracking/traceSearchStore.ts';
import type { SortValue } from '../../src/engine/tracking/types.ts';

/** A trace as these tests make one up; null stands for what it has not. Values are few, so that clauses meet often. */
interface SearchedTrace {
  readonly time: number;
  readonly took: number | null;
  readonly state: string;
  readonly client: string | null;
  readonly team: string | null;
  readonly run: string | null;
  readonly linked: string | null;
  readonly prompt: string | null;
  readonly spans: readonly (readonly [name: string, type: string, value: string])[];
  readonly right: boolean | null;
}

const orNull = <Value>(...values: readonly Value[]) =>
  fc.option(fc.constantFrom(...values), { nil: null, freq: 3 });

const searchedTrace: fc.Arbitrary<SearchedTrace> = fc.record({
  time: fc.constantFrom(1000, 2000, 3000),
  took: orNull(0, 500, 1000),
  state: fc.constantFrom('OK', 'OK', 'ERROR', 'IN_PROGRESS'),
  client: orNull('c1', 'c2'),
  team: orNull('red', 'Red', 'blue', 'r_d'),
  run: orNull('r1', 'r2'),
  linked: orNull('r1', 'r2'),
  prompt: orNull('p/1', 'p/2'),
  spans: fc.array(
    fc.tuple(
      fc.constantFrom('find', 'Find', 'write'),
      fc.constantFrom('LLM', 'TOOL'),
      fc.constantFrom('a', 'b'),
    ),
    { maxLength: 3 },
  ),
  right: orNull(true, false),
});

const someClauses: readonly string[] = [
  "status = 'OK'",
  "status = 'ERROR'",
  "status != 'OK'",
  "status != 'ERROR'",
  "status IN ('OK', 'ERROR')",
  "status IN ('IN_PROGRESS', 'ERROR')",
  "status NOT IN ('OK')",
  "status LIKE 'E%'",
  "request_id IN ('t-1', 't-2')",
  'timestamp_ms >= 2000',
  'timestamp_ms != 2000',
  'execution_time > 0',
  'end_time < 3000',
  "client_request_id = 'c1'",
  "client_request_id LIKE 'c%'",
  "client_request_id != 'c1'",
  "client_request_id ILIKE '%2'",
  "tag.team = 'red'",
  "tag.team != 'red'",
  "tag.team LIKE 'r_d'",
  "tag.team ILIKE 'RED'",
  "tag.team LIKE '%d'",
  'tag.team IS NULL',
  'tag.team IS NOT NULL',
  "run_id = 'r1'",
  "run_id != 'r1'",
  "run_id IN ('r1', 'r2')",
  'run_id IS NULL',
  "prompt = 'p/1'",
  "span.name = 'find'",
  "span.name != 'find'",
  "span.name ILIKE 'FIND'",
  "span.name IN ('find', 'x')",
  "span.type = 'LLM'",
  "span.attributes.k = 'a'",
  "text LIKE '%write%'",
  "feedback.right = 'true'",
  "feedback.right != 'true'",
  'feedback.right IS NULL',
  'feedback.right IS NOT NULL',
];

const someOrderings: readonly string[] = [
  'timestamp_ms',
  'execution_time',
  'end_time',
  'status',
  'request_id',
  'experiment_id',
  'tag.team',
  'metadata.`mlflow.sourceRun`',
];

const someOrder = fc
  .tuple(fc.subarray([...someOrderings], { maxLength: 3 }), fc.array(fc.boolean(), { minLength: 3 }))
  .map(([keys, descending]) => keys.map((key, index) => `${key} ${descending[index] ? 'DESC' : 'ASC'}`));

/** Gathers always, walks always, and does the one or the other. */
const ways: readonly number[] = [1000, 0, 2];

interface Asked {
  readonly filter: string;
  readonly order: readonly string[];
  readonly experiments: readonly number[];
}

/** The ids of all that a search finds, read page by page. */
function searchInPages(
  store: TraceSearchStore,
  { filter, order, experiments }: Asked,
  limit: number,
): string[] {
  const query = { comparisons: readTraceFilter(filter), order: readTraceOrder(order), limit };
  const found: string[] = [];
  let after: readonly SortValue[] | null = null;
  do {
    const page = store.search({ ...query, after }, experiments);
    found.push(...page.items.map(({ traceId }) => traceId));
    after = page.last;
  } while (after);
  return found;
}

describe('The ways in which a search of traces goes', () => {
  let folder: string;
  let database: Database;
  let experiments = 100;
  let traces = 0;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-trace-ways-'));
    database = openDatabase(join(folder, 'store.db'));
  });
  after(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });

  const write = (sql: string, ...values: readonly (string | number | null)[]) =>
    Number(database.prepare<(string | number | null)[], never>(sql).run(...values).lastInsertRowid);

  /** Writes the traces into a new experiment; gives its key. */
  const writeTraces = (wanted: readonly SearchedTrace[]): number => {
    experiments += 1;
    const experiment = experiments;
    database.transaction(() => {
      write(
        `INSERT INTO experiments (id, name, artifact_location, creation_time, last_update_time) VALUES (?, ?, '', 0, 0)`,
        experiment,
        `searched ${experiment}`,
      );
      for (const trace of wanted) writeTrace(experiment, trace);
    });
    return experiment;
  };
  const writeTrace = (experiment: number, trace: SearchedTrace) => {
    traces += 1;
    const id = `${(traces * 7919) % 1009}-${traces}`;
    const key = write(
      `INSERT INTO traces (trace_uuid, experiment_id, request_time, execution_duration, state, client_request_id)
       VALUES (?, ?, ?, ?, ?, ?)`,
      id,
      experiment,
      trace.time,
      trace.took,
      trace.state,
      trace.client,
    );
    if (trace.team !== null) write(`INSERT INTO trace_tags VALUES (?, 'team', ?)`, key, trace.team);
    if (trace.run !== null)
      write(`INSERT INTO trace_metadata VALUES (?, 'mlflow.sourceRun', ?)`, key, trace.run);
    if (trace.linked !== null) write('INSERT INTO trace_runs VALUES (?, ?)', id, trace.linked);
    if (trace.prompt !== null) write('INSERT INTO trace_prompts VALUES (?, ?)', key, trace.prompt);
    for (const [position, [name, type, value]] of trace.spans.entries()) {
      const attributes = JSON.stringify({ k: value });
      write(`INSERT INTO trace_spans VALUES (?, ?, ?, ?, 'OK', ?)`, key, position, name, type, attributes);
    }
    if (trace.right === null) return;
    write(
      `INSERT INTO trace_assessments (trace_id, assessment_uuid, name, kind, value, valid, content)
       VALUES (?, 'a', 'right', 'feedback', ?, 1, '{}')`,
      key,
      String(trace.right),
    );
  };

  it('find the same traces in the same order, each once, on pages of any size', () => {
    fc.assert(
      fc.property(
        fc.array(searchedTrace, { maxLength: 12 }),
        fc.subarray([...someClauses], { maxLength: 3 }),
        someOrder,
        fc.integer({ min: 1, max: 5 }),
        (wanted, clauses, order, size) => {
          const half = wanted.length >> 1;
          const both = [writeTraces(wanted.slice(0, half)), writeTraces(wanted.slice(half))];
          for (const among of [both, both.slice(1)]) {
            const asked = { filter: clauses.join(' AND '), order, experiments: among };
            const found = ways.flatMap((toGather) =>
              [size, 1000].map((limit) =>
                searchInPages(createTraceSearchStore(database, toGather), asked, limit),
              ),
            );
            for (const ids of found) assert.deepEqual(ids, found[0]);
            assert.equal(new Set(found[0]).size, found[0]?.length);
            if (clauses.length === 0)
              assert.equal(found[0]?.length, among === both ? wanted.length : wanted.length - half);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  /** The plan of each statement of a search. */
  const plansOf = (toGather: number, asked: Asked): readonly (readonly string[])[] => {
    const statements: string[] = [];
    const listening: Database = {
      ...database,
      prepare(sql) {
        statements.push(sql);
        return database.prepare(sql);
      },
    };
    searchInPages(createTraceSearchStore(listening, toGather), asked, 1);
    return statements.map((sql) => {
      const parameters = Array.from({ length: sql.split('?').length - 1 }, () => '1');
      const plan = database.prepare<unknown[], { readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
      return plan.all(...parameters).map(({ detail }) => detail);
    });
  };

  it('read no table or index from end to end', () => {
    const experiment = writeTraces([aTrace, aTrace]);
    for (const toGather of ways) {
      for (const filter of ['', ...someClauses]) {
        for (const order of ['', ...someOrderings]) {
          const asked = { filter, order: order === '' ? [] : [order], experiments: [experiment] };
          for (const detail of plansOf(toGather, asked).flat()) {
            // What is left to scan is a list of the statement's own: parameters, or the attributes of a span.
            if (/VIRTUAL TABLE/.test(detail)) continue;
            assert.doesNotMatch(detail, /^SCAN/, `${detail}: ${filter} by ${order}`);
            // An assessment is looked for among those of its trace: among all of its name, that took minutes.
            if (toGather === 0 && filter.startsWith('feedback')) {
              assert.doesNotMatch(detail, /^SEARCH a USING .*by_name/, filter);
            }
          }
        }
      }
    }
  });

  it('walk along the newest traces of an experiment without sorting them', () => {
    const experiments = [writeTraces([aTrace, aTrace])];
    const filters = [
      "status = 'ERROR'",
      "tag.team = 'red'",
      "run_id = 'r1'",
      "span.name = 'find'",
      "feedback.right = 'true'",
    ];
    for (const filter of [
      '',
      ...filters,
      'timestamp_ms >= 1000',
      'tag.team IS NOT NULL',
      "text LIKE '%find%'",
    ]) {
      for (const order of [[], ['timestamp_ms DESC']]) {
        const walks = plansOf(0, { filter, order, experiments }).filter((plan) =>
          plan.some((detail) => /^SEARCH t USING .*INDEX traces_by_experiment/.test(detail)),
        );
        // One learns how many traces there are; each of two pages is a walk.
        assert.ok(walks.length >= 2, filter);
        for (const plan of walks) assert.ok(!plan.includes('USE TEMP B-TREE FOR ORDER BY'), plan.join());
      }
    }
  });
});

const aTrace: SearchedTrace = {
  time: 1000,
  took: 5,
  state: 'ERROR',
  client: 'c1',
  team: 'red',
  run: 'r1',
  linked: 'r2',
  prompt: 'p/1',
  spans: [['find', 'LLM', 'a']],
  right: true,
};
