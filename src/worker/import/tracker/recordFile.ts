import { type ByteSource, tryOpenFile } from './byteSource.ts';

/** What stands next in a file of records. */
export type RecordItem =
  /** A whole record; `data` is valid until the next one is asked for. */
  | { readonly type: 'record'; readonly offset: number; readonly data: Uint8Array }
  /** Bytes that are no record, and how it shows. */
  | { readonly type: 'damage'; readonly offset: number; readonly detail: string };

/** How a reading ended. */
export interface RecordEnd {
  /** The byte after the last whole record, from which to go on. */
  readonly offset: number;
  /** Whether nothing stood after it. Not so: a record is being written, was cut off, or cannot be understood. */
  readonly isComplete: boolean;
}

/** A record's place, and either what it says or what is wrong with it. */
export interface FoundRecord<Content> {
  readonly offset: number;
  readonly content: Content | null;
  readonly problem: string | null;
}

/** How records of one kind of file are read. */
export interface RecordFormat<Content> {
  /** @param from the byte where a record begins. */
  records(source: ByteSource, from: number): Generator<RecordItem, RecordEnd>;
  /** @throws Error when the bytes are no such record. */
  parse(data: Uint8Array): Content | null;
  /** Why it is no such file; null when it is one. */
  problem?(source: ByteSource): string | null;
}

/** Reads a file from a byte on; from the beginning when it has become shorter. */
export function* readRecordFile<Content>(
  file: string,
  from: number,
  format: RecordFormat<Content>,
): Generator<FoundRecord<Content>, RecordEnd> {
  const source = tryOpenFile(file);
  if ('problem' in source) {
    yield { offset: 0, content: null, problem: source.problem };
    return { offset: from, isComplete: true };
  }
  try {
    const problem = format.problem?.(source) ?? null;
    if (problem !== null) {
      yield { offset: 0, content: null, problem };
      return { offset: 0, isComplete: true };
    }
    const items = format.records(source, from > source.size ? 0 : from);
    let next = items.next();
    for (; !next.done; next = items.next()) {
      const item = next.value;
      if (item.type === 'damage') yield { offset: item.offset, content: null, problem: item.detail };
      else yield parsed(item.offset, item.data, format);
    }
    return next.value;
  } finally {
    source.close();
  }
}

function parsed<Content>(
  offset: number,
  data: Uint8Array,
  format: RecordFormat<Content>,
): FoundRecord<Content> {
  try {
    return { offset, content: format.parse(data), problem: null };
  } catch (error) {
    return { offset, content: null, problem: error instanceof Error ? error.message : String(error) };
  }
}
