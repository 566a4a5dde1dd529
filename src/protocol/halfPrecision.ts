/**
 * Numbers of 16 bits (IEEE 754 binary16) to and from their bits. The runtime hands them over as bits, and the
 * language's own `Float16Array` must be out of its way (see `src/inference/runtime.ts`).
 */

const scratch = new DataView(new ArrayBuffer(8));

/** The bits of the nearest binary16, ties to even; too large a number becomes infinite. */
export function toHalfBits(value: number): number {
  scratch.setFloat64(0, value);
  const sign = (scratch.getUint16(0) & 0x8000) >>> 0;
  if (Number.isNaN(value)) return 0x7e00;
  const size = Math.abs(value);
  if (size === 0) return sign;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const step = 2 ** (exponent - 10);
  const steps = roundToEven(size / step);
  // A mantissa that rounds up to the next power of two carries into the exponent by itself.
  return sign | (steps < 1024 ? steps : (exponent + 14) * 1024 + steps);
}

/** The number that the bits of a binary16 stand for. */
export function fromHalfBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
