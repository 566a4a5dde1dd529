import { wireTypes } from './wireReader.ts';

/** Writes a protobuf message from front to back. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(256);
  #at = 0;

  /** What was written. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }

  /** @param value an integer that is not negative. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  /** A signed integer; negative ones take ten bytes. */
  signed(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) {
      this.varint(value);
      return;
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  float(value: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  bytes(content: Uint8Array): void {
    this.varint(content.length);
    this.#reserve(content.length);
    this.#bytes.set(content, this.#at);
    this.#at += content.length;
  }

  text(content: string): void {
    const length = Buffer.byteLength(content);
    this.varint(length);
    this.#reserve(length);
    this.#at += this.#bytes.write(content, this.#at);
  }

  /** A field whose content is what `write` writes, with its length in front. */
  nested(number: number, write: () => void): void {
    this.tag(number, wireTypes.lengthDelimited);
    const from = this.#at;
    write();
    const length = this.#at - from;
    // The length goes in front once it is known: most messages are small, so little is moved.
    const content = Buffer.from(this.#bytes.subarray(from, this.#at));
    this.#at = from;
    this.varint(length);
    this.#reserve(length);
    content.copy(this.#bytes, this.#at);
    this.#at += length;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
