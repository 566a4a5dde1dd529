/**
 * Times as protobuf's JSON writes them ("ProtoJSON format": `Timestamp` as RFC 3339, `Duration` as seconds), in whole
 * milliseconds.
 */

/** UTC milliseconds of a text such as `2025-01-02T03:04:05.678Z`; null when it is none. */
export function parseTimestamp(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text)) return null;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? null : milliseconds;
}

/** As few digits as the milliseconds need: none, or three. */
export function formatTimestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z');
}

/** Milliseconds of a text such as `1.5s`; null when it is none. */
export function parseDuration(text: string): number | null {
  const [, sign, seconds, fraction = ''] = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(text) ?? [];
  if (seconds === undefined) return null;
  // Digit by digit: what a fraction of a second is times 1000 need not be whole.
  const milliseconds = Number(seconds) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
  return sign === '-' && milliseconds > 0 ? -milliseconds : milliseconds;
}

export function formatDuration(milliseconds: number): string {
  const whole = Math.abs(milliseconds);
  const fraction = whole % 1000 === 0 ? '' : `.${String(whole % 1000).padStart(3, '0')}`;
  return `${milliseconds < 0 ? '-' : ''}${Math.floor(whole / 1000)}${fraction}s`;
}
