import type { Translator } from '../../protocol/translator.ts';

/** How numbers, ages and durations read everywhere in the editor. */
export interface Formats {
  /** Four significant digits, with the separators of the person's language. */
  metric(value: number): string;
  count(value: number): string;
  /** Such as "1.46 MB"; 1 MB is 1,000,000 bytes, as on the pages and the command line. */
  bytes(value: number): string;
  /** How long ago, such as "3 min ago"; a date when it is more than a month. */
  age(milliseconds: number): string;
  /** A latency in milliseconds with three significant digits, such as "1.84 ms". */
  latency(milliseconds: number): string;
  /** How often, such as "12.4/s" or "1,204/s"; what is rarer than once a second by the minute, such as "5/min". */
  rate(perSecond: number): string;
  /** A share between 0 and 1 as a percentage, such as "5%". */
  share(share: number): string;
  /** Such as "1 h 04 min" or "2.4 s". */
  duration(milliseconds: number): string;
  /** A moment to the second, in the person's zone. */
  moment(milliseconds: number): string;
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export function createFormats(l10n: Translator, locale: string, now: () => number = Date.now): Formats {
  const numbers = (options: Intl.NumberFormatOptions) =>
    whenNeeded(() => new Intl.NumberFormat(locale, options));
  const times = (options: Intl.DateTimeFormatOptions) =>
    whenNeeded(() => new Intl.DateTimeFormat(locale, options));
  const metrics = numbers({ maximumSignificantDigits: 4 });
  const extremes = numbers({ notation: 'scientific', maximumSignificantDigits: 4 });
  const counts = numbers({});
  const tenths = numbers({ maximumFractionDigits: 1 });
  const sizes = numbers({ maximumSignificantDigits: 3 });
  const percentages = numbers({ style: 'percent', maximumSignificantDigits: 3 });
  const dates = times({ dateStyle: 'medium' });
  const moments = times({ dateStyle: 'medium', timeStyle: 'medium' });

  return {
    metric(value) {
      const size = Math.abs(value);
      const extreme = Number.isFinite(value) && value !== 0 && (size >= 1e9 || size < 1e-4);
      return (extreme ? extremes : metrics)().format(value);
    },
    count: (value) => counts().format(value),
    bytes(value) {
      const step = Math.min(byteUnits.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
      return `${sizes().format(value / 1000 ** step)} ${byteUnits[step]}`;
    },
    age(milliseconds) {
      const passed = now() - milliseconds;
      if (passed < minute) return l10n.t('just now');
      if (passed < hour) return l10n.t('{0} min ago', Math.floor(passed / minute));
      if (passed < day) return l10n.t('{0} h ago', Math.floor(passed / hour));
      if (passed < 31 * day) return l10n.t('{0} d ago', Math.floor(passed / day));
      return dates().format(milliseconds);
    },
    duration(milliseconds) {
      if (milliseconds < second) return l10n.t('{0} ms', Math.round(milliseconds));
      if (milliseconds < minute) return l10n.t('{0} s', tenths().format(milliseconds / second));
      if (milliseconds < hour) {
        return l10n.t(
          '{0} min {1} s',
          Math.floor(milliseconds / minute),
          padded(milliseconds % minute, second),
        );
      }
      return l10n.t('{0} h {1} min', Math.floor(milliseconds / hour), padded(milliseconds % hour, minute));
    },
    latency: (milliseconds) => l10n.t('{0} ms', sizes().format(milliseconds)),
    rate(perSecond) {
      if (perSecond === 0 || perSecond >= 1) {
        return perSecond < 100
          ? l10n.t('{0}/s', sizes().format(perSecond))
          : l10n.t('{0}/s', counts().format(Math.round(perSecond)));
      }
      const perMinute = Math.round(60 * perSecond);
      return perMinute === 0 ? l10n.t('< 1/min') : l10n.t('{0}/min', counts().format(perMinute));
    },
    share: (share) => percentages().format(share),
    moment: (milliseconds) => moments().format(milliseconds),
  };
}

/** The first formatters of a process take tens of milliseconds, for which activation does not wait. */
function whenNeeded<Made>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function padded(rest: number, unit: number): string {
  return String(Math.floor(rest / unit)).padStart(2, '0');
}
