/** UTC milliseconds of a time as text; null when it is none. Without a zone it is this machine's, as browsers write it. */
export function timeOf(text: string): number | null {
  const trimmed = text.trim();
  // Seconds or milliseconds since 1970, of a time after 2001.
  if (/^\d{10}(\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * 1000);
  if (/^\d{13}(\.\d+)?$/.test(trimmed)) return Math.floor(Number(trimmed));
  if (!/^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?$/.test(trimmed))
    return null;
  const iso = trimmed
    .replace(' ', 'T')
    .replace(/ ?(UTC|Z)$/, 'Z')
    .replace(/(:\d{2}(?:\.\d+)?) ?([+-]\d{2}):?(\d{2})$/, '$1$2:$3');
  // A date alone would be UTC for JavaScript.
  const milliseconds = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(iso) ? `${iso}T00:00:00` : iso);
  return Number.isNaN(milliseconds) ? null : milliseconds;
}

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of a duration such as MLflow's page writes it (`3.2s`, `1.5min`, `2.1h`); of a bare number of seconds. */
export function durationOf(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  if (match === null) return null;
  const unit = match[2] === '' ? 1000 : units[match[2]?.toLowerCase() ?? ''];
  return unit === undefined ? null : Math.round(Number(match[1]) * unit);
}
