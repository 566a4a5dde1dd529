import assert from 'node:assert/strict';
import {
  addCounts,
  afterRepetition,
  afterSecondRun,
  type Counts,
  type Failure,
  failedFiles,
  noCounts,
  summary,
} from '../../report/counts.ts';

const some: Counts = { ...noCounts, passed: 3, skips: ['needs Python'] };
const failure = (name: string, file: string | null): Failure => ({
  name,
  file,
  reason: 'Error: no\n    at x',
});

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

  it('adds up what the groups report, and says why tests failed', () => {
    const failures = [failure('a', '/a.ts'), failure('b', null)];
    const all = addCounts(addCounts(noCounts, some), { ...noCounts, passed: 1, failures });
    const reason = '      Error: no\n          at x';
    assert.deepEqual(summary(all, false), {
      text: `Skipped:\n  needs Python\n\nFailed:\n  a\n${reason}\n  b\n${reason}\n\n4 passed, 2 failed, 1 skipped`,
      ok: false,
    });
  });
});

describe('a second run of the files of failed tests', () => {
  const first: Counts = {
    ...noCounts,
    passed: 10,
    passedByFile: { '/a.ts': 3, '/b.ts': 1, '/c.ts': 6 },
    failures: [failure('a1', '/a.ts'), failure('a2', '/a.ts'), failure('b1', '/b.ts'), failure('left', null)],
  };

  it('is of each of them once', () => {
    assert.deepEqual(failedFiles(first), ['/a.ts', '/b.ts']);
  });

  it('holds for them, and names what passed only then', () => {
    const second: Counts = {
      ...noCounts,
      passed: 5,
      passedByFile: { '/a.ts': 4, '/b.ts': 1 },
      failures: [failure('a2', '/a.ts'), failure('b2', '/b.ts')],
    };
    const both = afterSecondRun(first, second);
    assert.equal(both.passed, 6 + 5);
    assert.deepEqual(
      both.failures.map(({ name }) => name),
      ['left', 'a2', 'b2'],
    );
    assert.deepEqual(
      both.unsteady.map(({ name }) => name),
      ['a1', 'b1'],
    );
    assert.match(summary(both, true).text, /^Failed at first, and passed .*:\n {2}a1\n {6}Error: no/);
  });

  it('holds for everything where all ran again', () => {
    const second: Counts = { ...noCounts, passed: 13, failures: [failure('a2', null)] };
    const both = afterRepetition(first, second);
    assert.deepEqual({ ...both, unsteady: [] }, second);
    assert.deepEqual(
      both.unsteady.map(({ name }) => name),
      ['a1', 'b1', 'left'],
    );
  });
});
