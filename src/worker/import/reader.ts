import { createHash } from 'node:crypto';
import type { ImportDetection, ImportKind, ImportRecord, LocationRemap } from '../../protocol/importing.ts';

/** Reads one kind of source. It only reads: nothing in the source is changed, run or unpickled. */
export interface ImportReader {
  readonly kind: ImportKind;
  /**
   * What of this kind there is at an absolute path, which may be a file, a folder, or the folder above; null when there is
   * nothing. Looks at names and beginnings, so that it answers at once.
   */
  detects(path: string): Promise<ImportDetection | null>;
  /**
   * Yields all that is at `path`, which is the `path` of a detection, as a stream: never all points in memory.
   *
   * @throws SlipwayError `importUnreadable` when the source as a whole cannot be read. What cannot be read in it is
   * yielded as an omission.
   */
  read(path: string, options: ReadOptions): AsyncIterable<ImportRecord>;
  /**
   * Files and folders, absolute, whose change means that there is something new. Folders count for what lies directly in
   * them. Asked for again after each reading.
   */
  watched(path: string): Promise<readonly string[]>;
  /**
   * Of a source that does not say when a run ends: after so many milliseconds without a change it is read once more.
   */
  readonly settledAfter?: number;
}

export interface ReadOptions {
  /** The states in which parts were when they were last imported completely, by key. */
  readonly known: ReadonlyMap<string, string>;
  /** How far growing files were read in this session, in bytes or rows, by whatever key the reader likes. Starts empty. */
  readonly offsets: Map<string, number>;
  /**
   * Which of the `watched` files and folders changed since the last reading of this session, so that only what belongs to
   * them need be looked at; null: look at everything.
   */
  readonly changed: ReadonlySet<string> | null;
  /** Where artifacts of other machines lie on this one; the person's word that these folders may be read. */
  readonly remaps: readonly LocationRemap[];
}

/** An id of 32 hexadecimal digits that is the same for the same parts, such as `stableId('tensorboard', folder, run)`. */
export function stableId(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** A short digest of what a part looks like, for its state. */
export function stateDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
