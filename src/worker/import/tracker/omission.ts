import type { ImportOmission } from '../../../protocol/importing.ts';

/** Says that something was not taken, or not as it is in the source. */
export function omission(
  subject: string,
  reason: ImportOmission['reason'],
  values: ImportOmission['values'] = {},
): ImportOmission {
  return { type: 'omission', subject, reason, values };
}

/** Counts what cannot be kept, so that it is reported once for each kind of thing, however often it occurs. */
export interface OmissionCount {
  /** @param plural what it is, such as `histograms`. */
  add(plural: string): void;
  omissions(subject: string): Iterable<ImportOmission>;
}

export function createOmissionCount(): OmissionCount {
  const counts = new Map<string, number>();
  return {
    add(plural) {
      counts.set(plural, (counts.get(plural) ?? 0) + 1);
    },
    *omissions(subject) {
      for (const [plural, count] of counts) {
        yield omission(subject, 'notSupported', { detail: `${plural} (${count})` });
      }
    },
  };
}
