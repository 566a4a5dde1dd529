import type { ByteSource } from '../tracker/byteSource.ts';
import type { RecordEnd, RecordItem } from '../tracker/recordFile.ts';
import { maskedCrc32c } from './crc32c.ts';

const lengthBytes = 8;
const checksumBytes = 4;
const headerBytes = lengthBytes + checksumBytes;
/** Nobody's event is larger; a record that says so is not loaded. */
const largestRecord = 512 * 1024 * 1024;

/**
 * Reads the records of a TFRecord file: a length, its masked CRC-32C, so many bytes, their masked CRC-32C (TensorFlow,
 * "TFRecord format details"). A last record that is not whole yet is no damage. After a record with a wrong checksum
 * the next one follows; after a wrong length nothing can be found any more.
 *
 * @param from the byte where a record begins.
 */
export function* readTfRecords(source: ByteSource, from = 0): Generator<RecordItem, RecordEnd> {
  let offset = from;
  while (offset < source.size) {
    const header = source.bytes(offset, headerBytes);
    if (header === null) return { offset, isComplete: false };
    const view = new DataView(header.buffer, header.byteOffset, headerBytes);
    const length = view.getUint32(0, true) + view.getUint32(4, true) * 0x1_0000_0000;
    if (view.getUint32(lengthBytes, true) !== maskedCrc32c(header.subarray(0, lengthBytes))) {
      yield { type: 'damage', offset, detail: 'the length of a record does not match its checksum' };
      return { offset, isComplete: false };
    }
    const end = offset + headerBytes + length + checksumBytes;
    if (end > source.size) return { offset, isComplete: false };
    if (length > largestRecord) {
      yield { type: 'damage', offset, detail: `a record of ${length} bytes is too large` };
    } else {
      const content = source.bytes(offset + headerBytes, length + checksumBytes);
      if (content === null) return { offset, isComplete: false };
      const data = content.subarray(0, length);
      const checksum = new DataView(content.buffer, content.byteOffset + length, checksumBytes).getUint32(
        0,
        true,
      );
      if (checksum === maskedCrc32c(data)) yield { type: 'record', offset, data };
      else yield { type: 'damage', offset, detail: 'a record does not match its checksum' };
    }
    offset = end;
  }
  return { offset, isComplete: true };
}
