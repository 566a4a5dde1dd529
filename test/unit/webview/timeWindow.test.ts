import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DriftSources } from '../../../src/protocol/monitoring.ts';
import { boundsOf, fromLocal, isTimeWindow, toLocal } from '../../../src/webview/monitoring/timeWindow.ts';

const hour = 3_600_000;
const now = Date.UTC(2026, 5, 15, 12);
const sources: DriftSources = {
  endpoint: 'churn',
  references: [],
  firstRequest: now - 30 * hour,
  lastRequest: now - 2 * hour,
  rowCount: 10,
};
const empty = { from: '', to: '' };

describe('the window of requests', () => {
  it('covers what it is named after', () => {
    assert.deepEqual(boundsOf({ kind: 'all', ...empty }, sources, now), { from: now - 30 * hour, to: now });
    assert.deepEqual(boundsOf({ kind: 'lastHour', ...empty }, sources, now), { from: now - hour, to: now });
    assert.deepEqual(boundsOf({ kind: 'lastDay', ...empty }, sources, now), {
      from: now - 24 * hour,
      to: now,
    });
  });

  it('is none while a custom one is incomplete or ends before it begins', () => {
    const custom = (from: string, to: string) => boundsOf({ kind: 'custom', from, to }, sources, now);
    assert.equal(custom('', '2026-06-15T12:00'), null);
    assert.equal(custom('2026-06-15T12:00', '2026-06-15T11:00'), null);
    assert.deepEqual(custom('2026-06-15T11:00', '2026-06-15T12:00'), {
      from: new Date(2026, 5, 15, 11).getTime(),
      to: new Date(2026, 5, 15, 12).getTime(),
    });
  });

  it('reads back what it wrote into a field, to the minute', () => {
    const moments = fc.date({ min: new Date(2000, 0, 1), max: new Date(2100, 0, 1), noInvalidDate: true });
    fc.assert(
      fc.property(moments, (moment) => {
        const written = toLocal(moment.getTime());
        assert.equal(toLocal(fromLocal(written)), written);
        // An hour that a change of the clock repeats may be read as either of the two.
        assert.ok(Math.abs(moment.getTime() - fromLocal(written)) < hour + 60_000);
      }),
    );
  });

  it('tells a kept window from anything else', () => {
    assert.ok(isTimeWindow({ kind: 'lastDay', from: '', to: '' }));
    for (const other of [null, 'all', { kind: 'lastYear', from: '', to: '' }, { kind: 'all' }]) {
      assert.ok(!isTimeWindow(other));
    }
  });
});
