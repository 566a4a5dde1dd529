import assert from 'node:assert/strict';
import { createFormats } from '../../../src/extension/views/formats.ts';
import { formatBytes, formatRate } from '../../../src/webview/components/numbers.ts';

const l10n = {
  t: (message: string, ...values: (string | number)[]) =>
    message.replaceAll(/\{(\d)\}/g, (_, index) => String(values[Number(index)])),
};
const minute = 60_000;
const now = Date.UTC(2026, 5, 1, 12);

describe('formats', () => {
  const formats = createFormats(l10n, 'en', () => now);

  it('show four significant digits of a metric', () => {
    assert.equal(formats.metric(0.931_249), '0.9312');
    assert.equal(formats.metric(1234.5), '1,235');
    assert.equal(formats.metric(0), '0');
    assert.equal(formats.metric(-2), '-2');
  });

  it('show extreme metrics in powers of ten, and what is not finite as it is', () => {
    assert.equal(formats.metric(0.000_012_345), '1.235E-5');
    assert.equal(formats.metric(-4.2e12), '-4.2E12');
    assert.equal(formats.metric(Number.NaN), 'NaN');
    assert.equal(formats.metric(Number.POSITIVE_INFINITY), '∞');
    assert.equal(formats.metric(Number.NEGATIVE_INFINITY), '-∞');
  });

  it('write sizes as the pages do', () => {
    for (const bytes of [0, 318, 2_412, 368_640, 4_712_004, 7e15]) {
      assert.equal(formats.bytes(bytes), formatBytes(bytes));
    }
    assert.equal(formats.bytes(368_640), '369 kB');
  });

  it('tell what is rarer than once a second by the minute, as the pages do', () => {
    for (const [rate, text] of [
      [0, '0/s'],
      [0.002, '< 1/min'],
      [0.0911, '5/min'],
      [0.5, '30/min'],
      [1, '1/s'],
      [12.42, '12.4/s'],
      [187.4, '187/s'],
      [1204.3, '1,204/s'],
    ] as const) {
      assert.equal(formats.rate(rate), text);
      assert.equal(formatRate(rate), text);
    }
  });

  it('never round counts', () => assert.equal(formats.count(123_456), '123,456'));

  it('tell ages in the largest unit that fits', () => {
    assert.equal(formats.age(now), 'just now');
    assert.equal(formats.age(now + minute), 'just now');
    assert.equal(formats.age(now - minute), '1 min ago');
    assert.equal(formats.age(now - 59.9 * minute), '59 min ago');
    assert.equal(formats.age(now - 60 * minute), '1 h ago');
    assert.equal(formats.age(now - 25 * 60 * minute), '1 d ago');
    assert.equal(formats.age(Date.UTC(2026, 0, 15, 12)), 'Jan 15, 2026');
  });

  it('tell durations with two digits of the smaller unit', () => {
    assert.equal(formats.duration(12.4), '12 ms');
    assert.equal(formats.duration(2_440), '2.4 s');
    assert.equal(formats.duration(3 * minute + 7_000), '3 min 07 s');
    assert.equal(formats.duration(64 * minute), '1 h 04 min');
  });

  it('follow the language of the person', () => {
    const brazilian = createFormats(l10n, 'pt-br', () => now);
    assert.equal(brazilian.metric(1234.5), '1.235');
    assert.equal(brazilian.metric(0.5), '0,5');
    assert.equal(brazilian.count(123_456), '123.456');
  });
});
