import assert from 'node:assert/strict';
import { configureLanguage } from '../../../src/webview/components/localization.ts';
import {
  formatBytes,
  formatNumber,
  formatPValue,
  formatShare,
} from '../../../src/webview/components/numbers.ts';

describe('numbers on a page', () => {
  beforeEach(() => configureLanguage('en', '{}'));

  const examples: readonly (readonly [number, string])[] = [
    [0, '0'],
    [0.934123, '0.9341'],
    [12_345.678, '12,346'],
    [1_048_576, '1,048,576'],
    [1.5, '1.5'],
    [-0.000123456, '-0.0001235'],
    [0.0000412, '4.12e-5'],
    [3.1e15, '3.1e15'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '∞'],
    [Number.NEGATIVE_INFINITY, '−∞'],
  ];
  for (const [value, text] of examples) {
    it(`writes ${value} as ${text}`, () => assert.equal(formatNumber(value), text));
  }

  it('uses the separators of the person’s language', () => {
    configureLanguage('pt-br', '{}');
    assert.equal(formatNumber(12_345.678), '12.346');
    assert.equal(formatNumber(0.5), '0,5');
  });

  it('counts a language that the browser does not know as English', () => {
    configureLanguage('not a language', '{}');
    assert.equal(formatNumber(12_345), '12,345');
  });

  it('never writes a small share as zero', () => {
    assert.equal(formatShare(0), '0%');
    assert.equal(formatShare(0.0341), '3.41%');
    assert.equal(formatShare(0.5555), '55.6%');
    assert.equal(formatShare(1e-7), '< 0.01%');
  });

  it('gives p-values their relation sign', () => {
    assert.equal(formatPValue(0.0341), 'p = 0.034');
    assert.equal(formatPValue(1e-9), 'p < 0.001');
    assert.equal(formatPValue(Number.NaN), 'p = NaN');
  });

  it('writes file sizes in the unit that fits', () => {
    assert.equal(formatBytes(318), '318 B');
    assert.equal(formatBytes(2_412), '2.41 kB');
    assert.equal(formatBytes(4_712_004), '4.71 MB');
    assert.equal(formatBytes(7e15), '7,000 TB');
  });
});
