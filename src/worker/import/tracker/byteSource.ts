import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes that are read where one likes, without all of them being in memory. */
export interface ByteSource {
  /** How many there were when the source was opened; what is appended later is not seen. */
  readonly size: number;
  /** So many bytes from an offset on; null when they are not all there. They are valid until the next call. */
  bytes(offset: number, length: number): Uint8Array | null;
  close(): void;
}

const windowBytes = 256 * 1024;

/** Bytes that are in memory. */
export function memorySource(content: Uint8Array): ByteSource {
  return {
    size: content.length,
    bytes(offset, length) {
      return offset + length <= content.length ? content.subarray(offset, offset + length) : null;
    },
    close() {},
  };
}

/** The bytes of a file, of which one window at a time is in memory. @throws Error when it cannot be opened. */
export function openFileSource(file: string): ByteSource {
  const descriptor = openSync(file, 'r');
  const size = fstatSync(descriptor).size;
  let window = new Uint8Array(0);
  let windowOffset = 0;

  const load = (offset: number, length: number) => {
    const wanted = Math.min(Math.max(length, windowBytes), size - offset);
    const buffer = window.length === wanted ? window : new Uint8Array(wanted);
    let filled = 0;
    while (filled < wanted) {
      const count = readSync(descriptor, buffer, filled, wanted - filled, offset + filled);
      if (count === 0) break;
      filled += count;
    }
    window = filled === wanted ? buffer : buffer.subarray(0, filled);
    windowOffset = offset;
  };

  return {
    size,
    bytes(offset, length) {
      if (offset + length > size) return null;
      const isInWindow = offset >= windowOffset && offset + length <= windowOffset + window.length;
      if (!isInWindow) load(offset, length);
      const start = offset - windowOffset;
      return start + length <= window.length ? window.subarray(start, start + length) : null;
    },
    close() {
      closeSync(descriptor);
    },
  };
}

/** The bytes of a file; or why it cannot be opened, when it is gone or may not be read. */
export function tryOpenFile(file: string): ByteSource | { readonly problem: string } {
  try {
    return openFileSource(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { problem: error.message };
    throw error;
  }
}
