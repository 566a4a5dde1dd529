import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createMarkMerge } from '../../../src/engine/importMarks.ts';

const value = fc.option(fc.string({ maxLength: 60 }));

/** Decides as an import does after one that saw `before`. */
function decide(before: string | null, here: string | null, there: string | null) {
  const first = createMarkMerge({});
  first.note('f', before);
  const merge = createMarkMerge(first.marks);
  return { takes: merge.takes('f', here, there), merge };
}

describe('What an import takes over', () => {
  it('is what changed there and not here', () => {
    assert.equal(decide('1', '1', '2').takes, true);
    assert.equal(decide('1', '1', null).takes, true);
    assert.equal(decide(null, null, '2').takes, true);
    assert.equal(decide('1', '2', '1').takes, false);
    assert.equal(decide('1', null, '1').takes, false);
  });

  it('is a conflict when it changed on both sides, and none when both came to the same', () => {
    assert.deepEqual(decide('1', '2', '3').merge.conflicts, [{ field: 'f', here: '2', there: '3' }]);
    assert.deepEqual(decide(null, '2', '3').merge.conflicts, [{ field: 'f', here: '2', there: '3' }]);
    assert.deepEqual(decide('1', '2', '2').merge.conflicts, []);
  });

  it('loses nothing, whatever the values', () => {
    fc.assert(
      fc.property(value, value, value, (before, here, there) => {
        const { takes, merge } = decide(before, here, there);
        const result = takes ? there : here;
        // A change that only one side made stands in the end; one that both made is told.
        if (here === before && there !== before) assert.equal(result, there);
        if (there === before) assert.equal(result, here);
        const bothChanged = here !== before && there !== before && here !== there;
        assert.equal(merge.conflicts.length, bothChanged ? 1 : 0);
        // And again nothing changes.
        const again = createMarkMerge(merge.marks);
        assert.equal(again.takes('f', result, there), false);
      }),
    );
  });
});
