import type { DriftSources } from '../../protocol/monitoring.ts';

export const windowKinds = ['all', 'lastHour', 'lastDay', 'custom'] as const;
export type WindowKind = (typeof windowKinds)[number];

/** The requests to look at, as the person chose them. */
export interface TimeWindow {
  readonly kind: WindowKind;
  /** What the fields of a custom window hold: local date and time such as "2025-11-21T14:30"; else empty. */
  readonly from: string;
  readonly to: string;
}

/** A window in UTC milliseconds. */
export interface Bounds {
  readonly from: number;
  readonly to: number;
}

const hour = 3_600_000;

/** The bounds of a window at the given time; null while a custom one is incomplete or ends before it begins. */
export function boundsOf(window: TimeWindow, sources: DriftSources, now: number): Bounds | null {
  switch (window.kind) {
    case 'all':
      return { from: sources.firstRequest ?? 0, to: Math.max(now, sources.lastRequest ?? 0) };
    case 'lastHour':
      return { from: now - hour, to: now };
    case 'lastDay':
      return { from: now - 24 * hour, to: now };
    case 'custom': {
      const from = fromLocal(window.from);
      const to = fromLocal(window.to);
      return Number.isFinite(from) && Number.isFinite(to) && from < to ? { from, to } : null;
    }
  }
}

/** A moment (UTC milliseconds) as the text of a `datetime-local` field in the person's zone, to the minute. */
export function toLocal(moment: number): string {
  const date = new Date(moment);
  const day = [date.getFullYear(), padded(date.getMonth() + 1), padded(date.getDate())].join('-');
  return `${day}T${padded(date.getHours())}:${padded(date.getMinutes())}`;
}

/** The moment (UTC milliseconds) that a `datetime-local` field names in the person's zone; NaN when it is empty. */
export function fromLocal(text: string): number {
  return text === '' ? Number.NaN : new Date(text).getTime();
}

/** Whether something kept from an earlier session is a window. */
export function isTimeWindow(kept: unknown): kept is TimeWindow {
  return (
    typeof kept === 'object' &&
    kept !== null &&
    'kind' in kept &&
    windowKinds.some((kind) => kind === kept.kind) &&
    'from' in kept &&
    typeof kept.from === 'string' &&
    'to' in kept &&
    typeof kept.to === 'string'
  );
}

function padded(count: number): string {
  return String(count).padStart(2, '0');
}
