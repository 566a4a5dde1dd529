import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseFilter } from '../../src/engine/registry/filter.ts';
import { SlipwayError } from '../../src/protocol/errors.ts';

describe('filter of a registry search', () => {
  it('reads comparisons joined by AND', () => {
    assert.deepEqual(parseFilter(''), []);
    assert.deepEqual(parseFilter("name='RM'"), [
      { entity: 'attribute', key: 'name', operator: '=', value: 'RM' },
    ]);
    assert.deepEqual(parseFilter("tag.`mlflow.prompt.is_prompt` != 'true'"), [
      { entity: 'tag', key: 'mlflow.prompt.is_prompt', operator: '!=', value: 'true' },
    ]);
    assert.deepEqual(
      parseFilter(`attribute.name ILIKE "%it's%" and tags."a b" <> 'x' AND version_number>=3`),
      [
        { entity: 'attribute', key: 'name', operator: 'ILIKE', value: "%it's%" },
        { entity: 'tag', key: 'a b', operator: '!=', value: 'x' },
        { entity: 'attribute', key: 'version_number', operator: '>=', value: 3 },
      ],
    );
    assert.deepEqual(parseFilter("run_id IN ('a','b') AND run_id not  in ('c')"), [
      { entity: 'attribute', key: 'run_id', operator: 'IN', value: ['a', 'b'] },
      { entity: 'attribute', key: 'run_id', operator: 'NOT IN', value: ['c'] },
    ]);
    assert.deepEqual(parseFilter("tags.mlflow.source.name = 'x' AND"), [
      { entity: 'tag', key: 'mlflow.source.name', operator: '=', value: 'x' },
    ]);
  });

  for (const filter of [
    'name',
    'name = ',
    'name = foo',
    "name = 'a' OR name = 'b'",
    "(name = 'a')",
    "name = 'a' name = 'b'",
    "name IN 'a'",
    "name IN ('a'",
    'name IN ()',
    "'a' = name",
    "name == 'a'",
    "params.x = '1'",
    "name = 'a'; DROP TABLE registered_models",
    "name = 'a",
  ]) {
    it(`refuses ${filter}`, () => assert.throws(() => parseFilter(filter), { kind: 'invalidParameter' }));
  }

  it('reads or refuses any text, and does neither slowly nor otherwise', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        '`',
        'name',
        'tags.',
        ' AND ',
        ' IN ',
        '(',
        ')',
        ',',
        '=',
        '!=',
        ' LIKE ',
        '-1',
        '1e9',
      ),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          parseFilter(pieces.join(''));
        } catch (error) {
          assert.ok(error instanceof SlipwayError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
