/**
 * What is said to and by a Python process on its standard input and output. A frame is the length of its header (4 bytes)
 * and of its body (8 bytes), little-endian, then the header as JSON in UTF-8, then the body.
 * `pythonWorkers/slipway_models/channel.py` is the other end.
 */
export interface Frame {
  /** JSON, not checked yet. */
  readonly header: unknown;
  readonly body: Buffer;
}

const prefixBytes = 12;

/** The bytes of a frame whose body is the chunks, one after the other. */
export function encodeFrame(header: unknown, chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeBigUInt64LE(BigInt(chunks.reduce((sum, chunk) => sum + chunk.length, 0)), 4);
  return [prefix, text, ...chunks];
}

/** Puts the frames of a stream together. */
export interface FrameReader {
  /** Takes the next bytes, and gives the frames that they complete. @throws Error when a header is no JSON. */
  take(bytes: Buffer): readonly Frame[];
}

export function createFrameReader(): FrameReader {
  let chunks: Buffer[] = [];
  let length = 0;
  /** The whole length of the frame that is under way, as far as it is known. */
  let needed = prefixBytes;

  return {
    take(bytes) {
      chunks.push(bytes);
      length += bytes.length;
      const frames: Frame[] = [];
      while (length >= needed) {
        const all = chunks.length === 1 ? chunks[0] : undefined;
        const buffer = all ?? Buffer.concat(chunks, length);
        const headerLength = buffer.readUInt32LE(0);
        const whole = prefixBytes + headerLength + Number(buffer.readBigUInt64LE(4));
        chunks = [buffer];
        needed = whole;
        if (length < whole) break;
        const headerEnd = prefixBytes + headerLength;
        const header: unknown = JSON.parse(buffer.toString('utf8', prefixBytes, headerEnd));
        frames.push({ header, body: buffer.subarray(headerEnd, whole) });
        chunks = length > whole ? [buffer.subarray(whole)] : [];
        length -= whole;
        needed = prefixBytes;
      }
      return frames;
    },
  };
}
