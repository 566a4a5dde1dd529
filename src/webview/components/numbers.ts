import * as l10n from '@vscode/l10n';
import { numberFormat } from './localization.ts';

const significantDigits = 4;

/**
 * A measured value with four significant digits and thousands separators; never fewer digits than its whole part has.
 * Very small and very large values are written with an exponent, non-finite ones as NaN, ∞ or −∞.
 */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e12)) {
    return numberFormat({
      notation: 'scientific',
      maximumSignificantDigits: significantDigits,
    })
      .format(value)
      .replace('E', 'e');
  }
  return numberFormat({
    maximumSignificantDigits: significantDigits,
    maximumFractionDigits: 0,
    roundingPriority: 'morePrecision',
  }).format(value);
}

/** A whole number, such as a count of rows, with thousands separators. */
export function formatCount(value: number): string {
  return numberFormat({ maximumFractionDigits: 0 }).format(value);
}

/** A share between 0 and 1 as a percentage; a small one that is not zero never reads as zero. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return formatNumber(share);
  const percentage = numberFormat({
    style: 'percent',
    maximumFractionDigits: share !== 0 && share < 0.1 ? 2 : 1,
  });
  if (share > 0 && share < 0.0001) return `< ${percentage.format(0.0001)}`;
  return percentage.format(share);
}

/** A p-value with its relation sign, such as "p = 0.034" or "p < 0.001". */
export function formatPValue(value: number): string {
  if (Number.isNaN(value)) return 'p = NaN';
  const digits = numberFormat({ minimumFractionDigits: 3, maximumFractionDigits: 3 });
  return value < 0.001 ? `p < ${digits.format(0.001)}` : `p = ${digits.format(value)}`;
}

/** A file size in the largest unit that keeps it above one, such as "318 B" or "1.5 MB" (1 MB is 1,000,000 bytes). */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${formatCount(bytes)} B`;
  const units = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return numberFormat({
    style: 'unit',
    unit: units[power - 1] ?? 'terabyte',
    unitDisplay: 'short',
    maximumSignificantDigits: 3,
  }).format(bytes / 1000 ** power);
}

/** "1 point" or "1,204 points", thousands separated. */
export function formatPoints(count: number): string {
  return count === 1 ? l10n.t('1 point') : l10n.t('{count} points', { count: formatCount(count) });
}

/** A latency in milliseconds with three significant digits, such as "1.84 ms" or "12.3 s". */
export function formatLatency(milliseconds: number): string {
  const short = numberFormat({ maximumSignificantDigits: 3 });
  return milliseconds < 10_000
    ? l10n.t('{0} ms', short.format(milliseconds))
    : l10n.t('{0} s', short.format(milliseconds / 1000));
}

/** How often, such as "12.4/s" or "1,204/s"; what is rarer than once a second by the minute, such as "5/min". */
export function formatRate(perSecond: number): string {
  if (perSecond === 0 || perSecond >= 1) return formatPerSecond(perSecond);
  const perMinute = Math.round(60 * perSecond);
  return perMinute === 0 ? l10n.t('< 1/min') : l10n.t('{0}/min', formatCount(perMinute));
}

/** How often a second, however seldom: for an axis, whose labels have one unit. */
export function formatPerSecond(perSecond: number): string {
  const digits = perSecond < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 };
  return l10n.t('{0}/s', numberFormat(digits).format(perSecond));
}
