import * as l10n from '@vscode/l10n';
import { locale, numberFormat } from './localization.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A duration in its two largest units, such as "1 h 04 min", "3 min 20 s", "12.3 s" or "340 ms". */
export function formatDuration(milliseconds: number): string {
  const length = Math.max(0, milliseconds);
  if (length > 0 && length < second) return l10n.t('{0} ms', Math.round(length));
  if (length < minute) {
    const tenths = numberFormat({ maximumFractionDigits: 1 });
    return l10n.t('{0} s', tenths.format(length / second));
  }
  if (length < hour) {
    return l10n.t('{0} min {1} s', Math.floor(length / minute), padded(length % minute, second));
  }
  return l10n.t('{0} h {1} min', Math.floor(length / hour), padded(length % hour, minute));
}

/** How long ago a moment was, such as "3 min ago"; a date when it is more than a month. Both are UTC milliseconds. */
export function formatAge(moment: number, now: number): string {
  const age = now - moment;
  if (age < minute) return l10n.t('just now');
  if (age < hour) return l10n.t('{0} min ago', Math.floor(age / minute));
  if (age < day) return l10n.t('{0} h ago', Math.floor(age / hour));
  if (age < 31 * day) return l10n.t('{0} d ago', Math.floor(age / day));
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(moment);
}

/** A moment (UTC milliseconds) as date and time in the person's zone. */
export function formatMoment(moment: number, precision: 'minute' | 'second' = 'minute'): string {
  return new Intl.DateTimeFormat(locale(), {
    dateStyle: 'medium',
    timeStyle: precision === 'minute' ? 'short' : 'medium',
  }).format(moment);
}

/** Two moments (UTC milliseconds) as one range in the person's zone, without repeating a date that they share. */
export function formatRange(from: number, to: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).formatRange(from, to);
}

function padded(rest: number, unit: number): string {
  return String(Math.floor(rest / unit)).padStart(2, '0');
}

/** The time of day of a moment (UTC milliseconds) in the person's zone, to the second. */
export function formatTimeOfDay(moment: number): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: 'medium' }).format(moment);
}
