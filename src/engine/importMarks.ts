import { createHash } from 'node:crypto';

/** What the fields of a thing were when it was last imported, as short digests by field. */
export type ImportMarks = Readonly<Record<string, string>>;

/** A field that is neither here nor in the source as it was at the last import, and differs. */
export interface ImportConflict {
  readonly field: string;
  readonly here: string;
  readonly there: string;
}

/** Decides, field by field, what an import takes over. Null stands for a field that is not there. */
export interface MarkMerge {
  /**
   * Whether the value of the source is to be taken: it is new there, and nobody changed the one here since the last
   * import. When both changed, that is a conflict and the one here stays.
   */
  takes(field: string, here: string | null, there: string | null): boolean;
  /** Notes that the source's value stands here, without a question. */
  note(field: string, there: string | null): void;
  readonly conflicts: readonly ImportConflict[];
  /** To be kept until the next import. */
  readonly marks: ImportMarks;
}

/** Fields whose mark is kept as it is are no longer than this, so that most need no digest. */
const longestPlainMark = 24;
const longestQuote = 100;

/** @param before the marks of the last import of the thing from this source; empty when there was none. */
export function createMarkMerge(before: ImportMarks): MarkMerge {
  const marks: Record<string, string> = { ...before };
  const conflicts: ImportConflict[] = [];

  const note = (field: string, there: string | null) => {
    if (there === null) delete marks[field];
    else marks[field] = markOf(there);
  };

  return {
    takes(field, here, there) {
      if (here === there) {
        note(field, there);
        return false;
      }
      const mark = Object.hasOwn(before, field) ? (before[field] ?? null) : null;
      const isNewThere = mark !== (there === null ? null : markOf(there));
      if (!isNewThere) return false;
      if (mark !== (here === null ? null : markOf(here))) {
        conflicts.push({ field, here: quote(here), there: quote(there) });
        return false;
      }
      note(field, there);
      return true;
    },
    note,
    conflicts,
    marks,
  };
}

function markOf(value: string): string {
  if (value.length <= longestPlainMark) return value;
  // Longer than any plain mark, so that no value can look like the digest of another.
  return `#${createHash('sha256').update(value).digest('base64url').slice(0, longestPlainMark)}`;
}

function quote(value: string | null): string {
  if (value === null) return '–';
  return value.length > longestQuote ? `${value.slice(0, longestQuote)}…` : value;
}
