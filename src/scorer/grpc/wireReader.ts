/** How a field lies in a message (https://protobuf.dev/programming-guides/encoding/). */
export const wireTypes = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

/** Reads a protobuf message from front to back. What it gives of bytes shares their memory. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;
  #high = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** An integer that fits into 32 bits without sign; what is beyond them is dropped, as the format wants it. */
  uint32(): number {
    return this.#varint();
  }

  int32(): number {
    return this.#varint() | 0;
  }

  bool(): boolean {
    const low = this.#varint();
    return low !== 0 || this.#high !== 0;
  }

  /** An integer of 64 bits; one that a number cannot hold exactly is NaN. */
  int64Number(): number {
    const low = this.#varint();
    const value = (this.#high | 0) * 0x1_0000_0000 + low;
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }

  int64(): bigint {
    const low = this.#varint();
    return (BigInt(this.#high | 0) << 32n) | BigInt(low);
  }

  uint64(): bigint {
    const low = this.#varint();
    return (BigInt(this.#high) << 32n) | BigInt(low);
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#advance(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  bytes(): Buffer {
    const length = this.#varint();
    const from = this.#advance(length);
    return this.#bytes.subarray(from, from + length);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  /** Steps over a field that nobody knows. */
  skip(wireType: number): void {
    if (wireType === wireTypes.varint) this.#varint();
    else if (wireType === wireTypes.fixed64) this.#advance(8);
    else if (wireType === wireTypes.fixed32) this.#advance(4);
    else if (wireType === wireTypes.lengthDelimited) this.bytes();
    else throw new Error('the message has a field of an unknown kind');
  }

  /** Leaves the low 32 bits; the high ones stay in `#high`. */
  #varint(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      this.#at++;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#high = high >>> 0;
        return low >>> 0;
      }
    }
    throw new Error('the message is cut off');
  }

  #advance(length: number): number {
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new Error('the message is cut off');
    this.#at += length;
    return from;
  }
}
