import { SlipwayError } from '../protocol/errors.ts';
import type { ImportOmission, OmissionReason } from '../protocol/importing.ts';
import type { KeyValue } from '../protocol/tracking.ts';
import type { ImportMarks, MarkMerge } from './importMarks.ts';

/** What became of a thing that was imported. */
export interface SubjectImport {
  readonly outcome: 'new' | 'changed' | 'same';
  /** To be handed in with the next import of the thing from the same source. */
  readonly marks: ImportMarks;
  readonly omissions: readonly ImportOmission[];
}

export function omission(
  subject: string,
  reason: OmissionReason,
  values: ImportOmission['values'] = {},
): ImportOmission {
  return { type: 'omission', subject, reason, values };
}

/** What both sides changed since the last import. */
export function conflictsOf(subject: string, { conflicts }: MarkMerge): readonly ImportOmission[] {
  return conflicts.map(({ field, here, there }) =>
    omission(`${subject}/${field}`, 'conflict', { here, there }),
  );
}

/** Of a thing that was not taken at all. */
export function notTaken(marks: ImportMarks, omissions: readonly ImportOmission[]): SubjectImport {
  return { outcome: 'same', marks, omissions };
}

/** Why a check refuses something; null when it does not. */
export function problemOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof SlipwayError) return error.message;
    throw error;
  }
}

/** The tags of a thing, here and in the source. */
export interface TagsToImport {
  readonly subject: string;
  readonly here: readonly KeyValue[];
  readonly there: readonly KeyValue[];
  readonly merge: MarkMerge;
  /** Throws a `SlipwayError` for a tag that cannot be kept. */
  readonly check: (tag: KeyValue) => void;
  readonly write: (tag: KeyValue) => unknown;
}

/** Writes each tag that is to be taken. */
export function importTags({ subject, here, there, merge, check, write }: TagsToImport): {
  readonly changed: boolean;
  readonly omissions: readonly ImportOmission[];
} {
  const omissions: ImportOmission[] = [];
  let changed = false;
  for (const tag of there) {
    const problem = problemOf(() => check(tag));
    if (problem !== null) {
      omissions.push(omission(`${subject}/tags/${tag.key}`, 'invalidKey', { detail: problem }));
      continue;
    }
    const value = here.find(({ key }) => key === tag.key)?.value ?? null;
    if (!merge.takes(`tags/${tag.key}`, value, tag.value)) continue;
    write(tag);
    changed = true;
  }
  return { changed, omissions };
}
