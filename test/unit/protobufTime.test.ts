import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
} from '../../src/engine/http/protobufTime.ts';

describe("Times in protobuf's JSON", () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (milliseconds) => {
        assert.equal(parseTimestamp(formatTimestamp(milliseconds)), milliseconds);
        assert.equal(parseDuration(formatDuration(milliseconds)), milliseconds);
      }),
      // Neither half of which is exact in binary.
      { examples: [[69_337_752_057_605]] },
    );
  });

  it('writes none or three digits of a second, as protobuf does', () => {
    assert.equal(formatTimestamp(1_735_787_045_678), '2025-01-02T03:04:05.678Z');
    assert.equal(formatTimestamp(1_735_787_045_000), '2025-01-02T03:04:05Z');
    assert.equal(formatDuration(500), '0.500s');
    assert.equal(formatDuration(2000), '2s');
    assert.equal(formatDuration(-1500), '-1.500s');
  });

  it('reads other zones and finer times, cut to milliseconds', () => {
    assert.equal(parseTimestamp('2025-01-02T05:04:05.678901234+02:00'), 1_735_787_045_678);
    assert.equal(parseDuration('1.000999999s'), 1000);
  });

  it('takes nothing else', () => {
    for (const text of ['', 'noon', '2025-01-02', '2025-01-02 03:04:05Z', '2025-13-02T03:04:05Z']) {
      assert.equal(parseTimestamp(text), null, text);
    }
    for (const text of ['', 's', '1', '1m', '1.s', 'NaNs', '1e3s'])
      assert.equal(parseDuration(text), null, text);
  });
});
