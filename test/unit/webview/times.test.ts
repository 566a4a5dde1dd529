import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configureLanguage } from '../../../src/webview/components/localization.ts';
import { formatAge, formatDuration } from '../../../src/webview/components/times.ts';

const minute = 60_000;
const hour = 60 * minute;

describe('times on a page', () => {
  beforeEach(() => configureLanguage('en', '{}'));

  const durations: readonly (readonly [number, string])[] = [
    [0, '0 s'],
    [340, '340 ms'],
    [12_340, '12.3 s'],
    [3 * minute + 4_900, '3 min 04 s'],
    [hour + 4 * minute, '1 h 04 min'],
    [49 * hour, '49 h 00 min'],
  ];
  for (const [length, text] of durations) {
    it(`writes ${length} milliseconds as ${text}`, () => assert.equal(formatDuration(length), text));
  }

  it('writes how long ago a moment was', () => {
    const now = Date.UTC(2026, 5, 15, 12);
    assert.equal(formatAge(now - 59_000, now), 'just now');
    assert.equal(formatAge(now - 3 * minute, now), '3 min ago');
    assert.equal(formatAge(now - 25 * hour, now), '1 d ago');
    assert.equal(formatAge(Date.UTC(2025, 0, 2, 12), now), 'Jan 2, 2025');
  });

  it('calls a clock that runs ahead "just now"', () => {
    assert.equal(formatAge(1_000_000, 0), 'just now');
  });

  it('speaks Brazilian Portuguese', () => {
    const bundle = join(import.meta.dirname, '../../../l10n/bundle.l10n.pt-br.json');
    configureLanguage('pt-br', readFileSync(bundle, 'utf8'));
    assert.equal(formatAge(0, 3 * minute), 'há 3 min');
    assert.equal(formatDuration(12_340), '12,3 s');
  });
});
