import assert from 'node:assert/strict';
import { timeTicks } from '../../../src/webview/components/timeTicks.ts';

describe('the labels of a time axis', () => {
  const noon = Date.UTC(2026, 5, 1, 12);

  it('stand at round times', () => {
    const ticks = timeTicks(noon + 7_000, noon + 307_000, 5);
    assert.deepEqual(
      ticks.map((tick) => (tick - noon) / 1000),
      [60, 120, 180, 240, 300],
    );
  });

  it('are never more than there is room for', () => {
    for (const length of [5_000, 61_000, 300_000, 900_000, 7_200_000, 86_400_000 * 40]) {
      for (const most of [2, 4, 9]) {
        const ticks = timeTicks(noon + 1234, noon + 1234 + length, most);
        assert.ok(ticks.length <= most + 1, `${length} ${most}: ${ticks.length}`);
        assert.ok(ticks.every((tick) => tick >= noon + 1234 && tick <= noon + 1234 + length));
      }
    }
  });
});
