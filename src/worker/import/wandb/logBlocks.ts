import { crc32 } from 'node:zlib';
import type { ByteSource } from '../tracker/byteSource.ts';
import type { RecordEnd, RecordItem } from '../tracker/recordFile.ts';

/** `:W&B`, the two bytes 0xBEE1 from the right, and a version. */
export const fileHeaderBytes = 7;
const identity = [0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe];

const blockBytes = 32 * 1024;
/** Checksum (4), length (2), type (1). */
const chunkHeaderBytes = 7;
const chunkTypes = { padding: 0, full: 1, first: 2, middle: 3, last: 4 } as const;
/** Nobody's record is larger; parts of one that is are not put together. */
const largestRecord = 512 * 1024 * 1024;

/** Whether a file begins as a `.wandb` file does. */
export function hasFileHeader(source: ByteSource): boolean {
  const header = source.bytes(0, fileHeaderBytes);
  return header !== null && identity.every((byte, index) => header[index] === byte);
}

/**
 * Reads the records of a `.wandb` file, which is a LevelDB log (LevelDB, "Log format") with a header of its own and the
 * plain CRC-32 for a checksum: blocks of 32 KiB, in them chunks, of which one or several make a record. A last record that
 * is not whole yet is no damage. Where a chunk is damaged, reading goes on with the next block.
 *
 * @param from the byte where a record begins, or 0.
 */
export function* readLogRecords(source: ByteSource, from = 0): Generator<RecordItem, RecordEnd> {
  let at = Math.max(from, fileHeaderBytes);
  /** The byte after the last whole record. */
  let settled = at;
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  /** Where the record in `parts` begins; null between records. */
  let begun: number | null = null;

  while (at < source.size) {
    const leftInBlock = blockBytes - (at % blockBytes);
    if (leftInBlock < chunkHeaderBytes) {
      at += leftInBlock;
      continue;
    }
    const chunk = readChunk(source, at, leftInBlock);
    if (chunk.kind === 'partial') return { offset: settled, isComplete: false };
    if (chunk.kind === 'padding') {
      at += leftInBlock;
      continue;
    }
    const begins =
      chunk.kind === 'chunk' && (chunk.type === chunkTypes.full || chunk.type === chunkTypes.first);
    if (begun !== null && (begins || chunk.kind === 'damaged')) {
      yield { type: 'damage', offset: begun, detail: 'a record has no end' };
      begun = null;
    }
    if (chunk.kind === 'damaged') {
      yield { type: 'damage', offset: at, detail: chunk.detail };
      at += leftInBlock;
      settled = at;
      continue;
    }
    const start = at;
    at += chunkHeaderBytes + chunk.data.length;
    if (begins) {
      begun = start;
      parts = [];
      partBytes = 0;
    } else if (begun === null) {
      // The rest of a record whose beginning was damaged.
      settled = at;
      continue;
    }
    partBytes += chunk.data.length;
    const isLast = chunk.type === chunkTypes.full || chunk.type === chunkTypes.last;
    if (partBytes <= largestRecord)
      parts.push(isLast && parts.length === 0 ? chunk.data : chunk.data.slice());
    if (!isLast) continue;
    const offset = begun;
    begun = null;
    settled = at;
    if (partBytes <= largestRecord) yield { type: 'record', offset, data: joined(parts, partBytes) };
    else yield { type: 'damage', offset, detail: `a record of ${partBytes} bytes is too large` };
  }
  return { offset: settled, isComplete: begun === null };
}

type Chunk =
  | { readonly kind: 'chunk'; readonly type: number; readonly data: Uint8Array }
  /** The file ends before the chunk does. */
  | { readonly kind: 'partial' }
  | { readonly kind: 'padding' }
  | { readonly kind: 'damaged'; readonly detail: string };

function readChunk(source: ByteSource, at: number, leftInBlock: number): Chunk {
  const header = source.bytes(at, chunkHeaderBytes);
  if (header === null) return { kind: 'partial' };
  const view = new DataView(header.buffer, header.byteOffset, chunkHeaderBytes);
  const checksum = view.getUint32(0, true);
  const length = view.getUint16(4, true);
  const type = view.getUint8(6);
  if (type === chunkTypes.padding && length === 0 && checksum === 0) return { kind: 'padding' };
  if (type < chunkTypes.full || type > chunkTypes.last) {
    return { kind: 'damaged', detail: 'a part of a record has an unknown type' };
  }
  if (chunkHeaderBytes + length > leftInBlock) {
    return { kind: 'damaged', detail: 'a part of a record is longer than its block' };
  }
  const bytes = source.bytes(at + chunkHeaderBytes, length);
  if (bytes === null) return { kind: 'partial' };
  if (crc32(bytes, crc32(Uint8Array.of(type))) !== checksum) {
    return { kind: 'damaged', detail: 'a part of a record does not match its checksum' };
  }
  return { kind: 'chunk', type, data: bytes };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const record = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    record.set(part, at);
    at += part.length;
  }
  return record;
}
