import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseFilter, parseOrdering } from '../../src/engine/tracking/filterGrammar.ts';
import {
  loggedModelSearchRules,
  readFilter,
  readOrder,
  runSearchRules,
} from '../../src/engine/tracking/searchRules.ts';
import { errorOfKind } from '../errorOfKind.ts';

const isInvalid = errorOfKind('invalidParameter');

/** What the clauses of a filter say, without where they say it. */
const said = (filter: string) => parseFilter(filter).map(({ at: _, ...clause }) => clause);

const complaintOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    assert.ok(isInvalid(error));
    assert.ok(error instanceof Error);
    return error.message;
  }
  return assert.fail('Nothing was refused.');
};

describe('The grammar of search filters', () => {
  it('reads identifiers, operators and values in every spelling', () => {
    const cases: readonly (readonly [string, readonly unknown[]])[] = [
      ['metrics.rmse < 1', ['metrics', 'rmse', '<', 1]],
      ['metrics.rmse>=-1.5e-3', ['metrics', 'rmse', '>=', -0.0015]],
      ['metric."k" = 1e0', ['metric', 'k', '=', 1]],
      ['tags.`a b` = "x\'y"', ['tags', 'a b', '=', "x'y"]],
      ["params.a='it''s'", ['params', 'a', '=', "it's"]],
      ["tags.mlflow.parentRunId != 'x'", ['tags', 'mlflow.parentRunId', '!=', 'x']],
      ["status = 'FINISHED'", [null, 'status', '=', 'FINISHED']],
      ["`run name` iLike '%x_'", [null, 'run name', 'ILIKE', '%x_']],
      ["run_id NOT  IN ('a' , 'b')", [null, 'run_id', 'NOT IN', ['a', 'b']]],
      ["run_id in('a')", [null, 'run_id', 'IN', ['a']]],
      ['`params`.`a b` = "it""s"', ['params', 'a b', '=', 'it"s']],
      ["params.'a b' = ''", ['params', 'a b', '=', '']],
      ["params.a-b/c:d@e = 'x'", ['params', 'a-b/c:d@e', '=', 'x']],
      ["key = 'x'", [null, 'key', '=', 'x']],
      ['metrics.é > .5', ['metrics', 'é', '>', 0.5]],
      ['metrics.1a < 1.', ['metrics', '1a', '<', 1]],
      ['run_id IN (\'a\', "b",)', [null, 'run_id', 'IN', ['a', 'b']]],
      ['tags.x is null', ['tags', 'x', 'IS NULL', null]],
      ['tags.x IS NOT NULL', ['tags', 'x', 'IS NOT NULL', null]],
    ];
    for (const [filter, [entity, key, operator, value]] of cases) {
      assert.deepEqual(said(filter), [{ entity, key, operator, value }], filter);
    }
  });

  it('joins clauses by AND, and tolerates one too many or too few, as MLflow does', () => {
    assert.deepEqual(parseFilter('  '), []);
    assert.deepEqual(parseFilter('AND'), []);
    assert.equal(parseFilter("a = 'AND' and b > 1 AND c IS NULL AND ").length, 3);
    assert.equal(parseFilter("AND a = 'x' AND AND b > 1").length, 2);
    assert.equal(parseFilter("a = 'x' b IS NULL c > 1").length, 3);
  });

  it("says where a filter went wrong and what would be right, in MLflow's words too", () => {
    const cases: readonly (readonly [string, string, number, string])[] = [
      ["metrics.A > 0.1 OR params.B = 'LR'", 'Invalid clause(s) in filter string', 17, 'AND or the end'],
      ["metrics.A > 0.1 NAND params.B = 'LR'", 'Invalid clause(s) in filter string', 17, 'AND or the end'],
      ["metrics.A > 0.1 AND (params.B = 'LR')", 'Invalid clause(s) in filter string', 21, 'a name'],
      ['`metrics.A > 0.1', 'Invalid clause(s) in filter string', 1, 'a name'],
      ['param`.A > 0.1', 'Invalid clause(s) in filter string', 6, 'a comparison'],
      ['attribute.status = true', 'Invalid clause(s) in filter string', 20, 'a value'],
      ["params.'acc = LR", 'Invalid clause(s) in filter string', 8, 'a key'],
      ["params.acc = 'LR", 'Invalid clause(s) in filter string', 14, 'a value'],
      ["params.acc = LR'", 'is either not quoted or unidentified quote types', 14, 'a text in quotes'],
      ["tags.acc = = 'LR'", 'Invalid clause(s) in filter string', 12, 'a value'],
      ["attribute.status IS 'RUNNING'", 'Invalid clause(s) in filter string', 18, 'a comparison'],
      ['params.acc LR !=', 'Invalid clause(s) in filter string', 12, 'a comparison'],
      ['metric.acc !=', 'Invalid clause(s) in filter string', 14, 'a value, but it ended'],
      ['metrics.é é', 'Invalid clause(s) in filter string', 11, 'a comparison'],
      ['1=1', "Expected 'Identifier' found '1'", 1, 'a name'],
      ['1.0 > metrics.acc', "Expected 'Identifier' found '1.0'", 1, 'a name'],
      ['params.acc = LR', 'is either not quoted or unidentified quote types', 14, 'a text in quotes'],
      ['params.acc = `LR`', 'is either not quoted or unidentified quote types', 14, 'a text in quotes'],
      ['metrics.acc != metrics.acc', 'Expected numeric value type for metric', 16, 'a number'],
      ['metrics.acc > NaN', 'Expected numeric value type for metric', 15, 'a number'],
      ['metrics.acc ~= 1', 'Invalid comparator', 13, 'a comparison'],
      ["params.a not like 'x'", 'Invalid comparator', 10, 'a comparison'],
      ['run_id IN ()', 'While parsing a list in the query', 12, 'a text in quotes'],
      ["run_id IN ('a' 'b')", 'While parsing a list in the query', 16, 'a comma'],
      ['metrics.a > 1; metrics.b > 1', 'Search filter contained multiple expression', 14, 'AND'],
    ];
    for (const [filter, saying, column, expected] of cases) {
      const complaint = complaintOf(() => parseFilter(filter));
      assert.ok(complaint.includes(saying), `${filter}: ${complaint}`);
      assert.ok(complaint.includes(`At column ${column}: expected ${expected}`), `${filter}: ${complaint}`);
    }
    assert.match(
      complaintOf(() => readFilter("status = 'x' AND metrics.a LIKE 1", runSearchRules)),
      /Invalid comparator 'LIKE'.* At column 28 of the filter\.$/,
    );
  });

  it('refuses filters beyond its bounds', () => {
    assert.equal(parseFilter(Array(500).fill('a IS NULL').join(' AND ')).length, 500);
    assert.match(
      complaintOf(() => parseFilter(Array(501).fill('a IS NULL').join(' AND '))),
      /500 clauses/,
    );
    assert.match(
      complaintOf(() => parseFilter(`a IN (${Array(10_001).fill("'x'").join()})`)),
      /10000 values/,
    );
    assert.match(
      complaintOf(() => parseFilter(' '.repeat(1_000_001))),
      /1000000 characters/,
    );
    const pattern = '%'.repeat(50_001);
    assert.match(
      complaintOf(() => readFilter(`tags.a LIKE '${pattern}'`, runSearchRules)),
      /50000 bytes/,
    );
    const order = Array.from({ length: 51 }, (_, index) => `metrics.m${index}`);
    assert.match(
      complaintOf(() => readOrder(order, runSearchRules)),
      /more than 50 fields/,
    );
  });

  it('refuses what is no filter', () => {
    for (const filter of [
      'a OR b',
      "a = 'x' OR b = 'y'",
      "(params.a='x')",
      'a',
      'a =',
      '= 1',
      "a = 'x",
      'a IS',
      "a IN ('x'",
      'a IN ()',
      'a = `x`',
      "a = 'x'; DROP TABLE runs",
    ]) {
      assert.throws(() => parseFilter(filter), isInvalid, filter);
    }
  });

  it('either reads a text or refuses it', () => {
    const word = fc.constantFrom(
      'metrics.',
      'a',
      '`',
      '"',
      "'",
      '=',
      '<',
      'AND',
      'IS',
      'NOT',
      'NULL',
      'IN',
      '(',
      ')',
      ',',
      '1',
      '.',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join(' ')),
        ),
        (text) => {
          try {
            parseFilter(text);
          } catch (error) {
            assert.ok(isInvalid(error));
          }
        },
      ),
    );
  });

  it('reads any text that is quoted', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (key, value) => {
        const filter = `params."${key.replaceAll('"', '""')}" = '${value.replaceAll("'", "''")}'`;
        assert.deepEqual(said(filter), [{ entity: 'params', key, operator: '=', value }]);
      }),
    );
  });

  it('reads orders', () => {
    assert.deepEqual(parseOrdering('metrics.`a b` desc'), {
      entity: 'metrics',
      key: 'a b',
      ascending: false,
    });
    assert.deepEqual(parseOrdering('`metrics.a b` DESC'), {
      entity: 'metrics',
      key: 'a b',
      ascending: false,
    });
    assert.match(
      complaintOf(() => readOrder(['`metrics.a`'], runSearchRules)),
      /Invalid entity type/,
    );
    assert.deepEqual(parseOrdering('start_time'), { entity: null, key: 'start_time', ascending: true });
    for (const order of ['metrics.k DOWN', '', 'a b c', 'a ASC DESC', "'a'"]) {
      assert.throws(() => parseOrdering(order), isInvalid, order);
    }
  });
});

describe('The rules of searches', () => {
  it('knows entities and attributes by all their names', () => {
    const filter =
      "parameter.a = 'x' AND attr.status = 'y' AND Created > 1 AND `Run Name` = 'z' AND dataset.name IN ('d') AND run.run_id NOT IN ('r')";
    assert.deepEqual(
      readFilter(filter, runSearchRules).map(({ entity, key }) => `${entity} ${key}`),
      [
        'parameter a',
        'attribute status',
        'attribute start_time',
        'attribute run_name',
        'dataset name',
        'attribute run_id',
      ],
    );
  });

  it('refuses unknown entities and keys, operators and values that do not fit', () => {
    for (const filter of [
      "foo.a = 'x'",
      "constructor.a = 'x'",
      "attribute.foo = 'x'",
      "attribute.constructor = 'x'",
      'attribute.start_time LIKE 1',
      "attribute.start_time = 'x'",
      "metrics.a > 'x'",
      'metrics.a IN (1)',
      'metrics.a IS NULL',
      'params.a = 1',
      "params.a > 'x'",
      "params.a IN ('x')",
      "status IN (1, 'x')",
      'status IS NULL',
      "dataset.foo = 'x'",
      "run_id = ('x')",
      "run_id IN 'x'",
      "run_name IN ('x')",
      "status > 'x'",
      'dataset.name IS NULL',
      "params.a <> 'x'",
      'metrics.a == 1',
      "params.a RLIKE 'x'",
    ]) {
      assert.throws(() => readFilter(filter, runSearchRules), isInvalid, filter);
    }
    assert.throws(() => readFilter("dataset.name = 'x'", loggedModelSearchRules), isInvalid);
  });

  it('refuses an order by datasets, and one with a key twice', () => {
    for (const order of [
      ['dataset.name'],
      ['foo'],
      ['metrics.a', 'metric.a DESC'],
      ['created', 'start_time'],
    ]) {
      assert.throws(() => readOrder(order, runSearchRules), isInvalid, order.join());
    }
  });
});
