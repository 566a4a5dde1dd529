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
      ['tags.x is null', ['tags', 'x', 'IS NULL', null]],
      ['tags.x IS NOT NULL', ['tags', 'x', 'IS NOT NULL', null]],
    ];
    for (const [filter, [entity, key, operator, value]] of cases) {
      assert.deepEqual(parseFilter(filter), [{ entity, key, operator, value }], filter);
    }
  });

  it('joins clauses by AND, and tolerates one at the end', () => {
    assert.deepEqual(parseFilter('  '), []);
    assert.equal(parseFilter("a = 'AND' and b > 1 AND c IS NULL AND ").length, 3);
  });

  it('refuses what is no filter', () => {
    for (const filter of [
      'a OR b',
      "a = 'x' OR b = 'y'",
      "(params.a='x')",
      'AND',
      'a',
      'a =',
      '= 1',
      "a = 'x",
      'a IS',
      "a IN ('x'",
      'a IN ()',
      "a = 'x' b = 'y'",
      'a = `x`',
      "params.'a' = 'x'",
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
        assert.deepEqual(parseFilter(filter), [{ entity: 'params', key, operator: '=', value }]);
      }),
    );
  });

  it('reads orders', () => {
    assert.deepEqual(parseOrdering('metrics.`a b` desc'), {
      entity: 'metrics',
      key: 'a b',
      ascending: false,
    });
    assert.deepEqual(parseOrdering('start_time'), { entity: null, key: 'start_time', ascending: true });
    for (const order of ['metrics.k DOWN', '', 'a b c', 'a ASC DESC', "'a'"]) {
      assert.throws(() => parseOrdering(order), isInvalid, order);
    }
  });
});

describe('The rules of searches', () => {
  it('knows entities and attributes by all their names', () => {
    const filter =
      "parameter.a = 'x' AND attr.status = 'y' AND Created > 1 AND `Run Name` = 'z' AND dataset.name IN ('d')";
    assert.deepEqual(
      readFilter(filter, runSearchRules).map(({ entity, key }) => `${entity} ${key}`),
      ['parameter a', 'attribute status', 'attribute start_time', 'attribute run_name', 'dataset name'],
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
