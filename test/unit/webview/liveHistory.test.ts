import assert from 'node:assert/strict';
import type { EndpointLive } from '../../../src/protocol/serving.ts';
import {
  appended,
  emptyHistory,
  keptMilliseconds,
  receivedShares,
  wantedFrom,
} from '../../../src/webview/serving/liveHistory.ts';

const second = 1000;

describe('what a page keeps of an endpoint', () => {
  /** Seconds from `from`, with one element of each list a second. */
  const told = (
    from: number,
    length: number,
    variants: Readonly<Record<string, readonly number[]>>,
  ): Pick<EndpointLive, 'times' | 'variants'> => ({
    times: Array.from({ length }, (_, index) => (from + index) * second),
    variants: Object.entries(variants).map(([name, requests], index) => ({
      name,
      model: 'wine',
      version: index + 1,
      requests,
      errors: requests.map(() => 0),
      latencyP50: requests.map((count) => (count === 0 ? null : 1)),
      latencyP95: requests.map((count) => (count === 0 ? null : 2)),
      latencyP99: requests.map((count) => (count === 0 ? null : 3)),
    })),
  });

  it('begins with a quarter of an hour, then wants only what is new', () => {
    assert.equal(wantedFrom(emptyHistory, 5_000_000), 5_000_000 - keptMilliseconds);
    const history = appended(emptyHistory, told(1000, 3, { stable: [1, 2, 3] }));
    assert.equal(wantedFrom(history, 1_010_000), 1_003_000);
    assert.equal(wantedFrom(history, 9_010_000), 9_010_000 - keptMilliseconds);
  });

  it('fills up variants that come later or are asked nothing any more', () => {
    let history = appended(emptyHistory, told(1000, 2, { stable: [4, 5] }));
    history = appended(history, told(1002, 2, { stable: [6, 7], candidate: [0, 1] }));
    history = appended(history, told(1004, 1, { stable: [8] }));
    assert.deepEqual(
      history.times.map((time) => time / second),
      [1000, 1001, 1002, 1003, 1004],
    );
    assert.deepEqual(
      history.variants.map(({ name, requests, latencyP50 }) => [name, requests, latencyP50]),
      [
        ['stable', [4, 5, 6, 7, 8], [1, 1, 1, 1, 1]],
        ['candidate', [0, 0, 0, 1, 0], [null, null, null, 1, null]],
      ],
    );
  });

  it('takes points that it has already only once', () => {
    const history = appended(emptyHistory, told(1000, 3, { stable: [1, 2, 3] }));
    const again = appended(history, told(1001, 3, { stable: [2, 3, 4] }));
    assert.deepEqual(again.variants[0]?.requests, [1, 2, 3, 4]);
    assert.equal(appended(again, told(1001, 3, { stable: [2, 3, 4] })), again);
  });

  it('forgets what is older than a quarter of an hour, and variants that were asked nothing since', () => {
    let history = appended(
      emptyHistory,
      told(1000, 900, { stable: Array.from({ length: 900 }, (_, at) => (at === 0 ? 1 : 0)) }),
    );
    assert.equal(history.variants.length, 1);
    history = appended(history, told(1900, 2, {}));
    assert.deepEqual([history.times.length, history.times[0]], [900, 1002 * second]);
    assert.deepEqual(history.variants, []);
  });

  it('begins anew after a gap', () => {
    const history = appended(emptyHistory, told(1000, 3, { stable: [1, 2, 3] }));
    const later = appended(history, told(5000, 1, { stable: [9] }));
    assert.deepEqual([later.times, later.variants[0]?.requests], [[5000 * second], [9]]);
  });

  it('knows which share each variant got over ten seconds', () => {
    const history = appended(
      emptyHistory,
      told(1000, 13, {
        stable: [0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        candidate: [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0],
      }),
    );
    const [stable, candidate] = receivedShares(history.variants);
    assert.deepEqual(stable?.slice(0, 3), [null, 0.75, 0.75]);
    assert.deepEqual(candidate?.slice(9), [0.25, 0.25, 1, 1]);
  });
});
