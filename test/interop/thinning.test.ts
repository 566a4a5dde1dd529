import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { thin } from '../../src/statistics/thinning.ts';
import { pythonWithPeers } from '../python.ts';

/** What `largestTriangles.py` prints. */
interface Reference {
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** How many points were to be kept: the two ends, and one of each bucket. */
  readonly size: number;
  readonly kept: readonly number[];
}

describe('thinning beside tsdownsample', () => {
  it('keeps every point that largest-triangle-three-buckets keeps, and the extremes beside', function () {
    const script = join(import.meta.dirname, '../fixtures/python/largestTriangles.py');
    const run = spawnSync(pythonWithPeers(this), [script], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    assert.equal(run.status, 0, run.stderr);
    const references: readonly Reference[] = JSON.parse(run.stdout);
    for (const { xs, ys, size, kept } of references) {
      const points = xs.map((x, rank) => ({ x, y: ys[rank] ?? Number.NaN, rank }));
      const budget = 4 * (size - 2) + 8;
      const own = new Set(thin(points, budget).map(({ rank }) => rank));
      assert.deepEqual(
        kept.filter((rank) => !own.has(rank)),
        [],
        `of ${xs.length} points`,
      );
      assert.ok(own.size <= 3 * (size - 2) + 2);
    }
  });
});
