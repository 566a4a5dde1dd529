import assert from 'node:assert/strict';
import { addCounts, noCounts, summary } from '../../report/counts.ts';

const some = { passed: 3, failures: [], skips: ['needs Python'] };

describe('the summary of a test run', () => {
  it('counts a skipped test as such on a developer’s machine', () => {
    assert.deepEqual(summary(some, false), {
      text: 'Skipped:\n  needs Python\n\n3 passed, 0 failed, 1 skipped',
      ok: true,
    });
  });

  it('counts a skipped test as failed in continuous integration', () => {
    assert.deepEqual(summary(some, true), {
      text: 'Skipped:\n  needs Python\n\n3 passed, 1 failed',
      ok: false,
    });
  });

  it('adds up what the groups report', () => {
    const all = addCounts(addCounts(noCounts, some), { passed: 1, failures: ['a', 'b'], skips: [] });
    assert.deepEqual(summary(all, false), {
      text: 'Skipped:\n  needs Python\n\nFailed:\n  a\n  b\n\n4 passed, 2 failed, 1 skipped',
      ok: false,
    });
  });
});
