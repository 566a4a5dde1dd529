import { randomBytes } from 'node:crypto';

const digits = 32;
const idsAtOnce = 256;
/** Digits of ids, of which the first `taken` are used up. */
let unused = '';
let taken = 0;

/**
 * A new id of a request: 128 random bits in hexadecimal digits. They are written many at a time, as one for itself takes
 * at least twice as long, and a UUID too.
 */
export function newRequestId(): string {
  if (taken === unused.length) {
    unused = randomBytes((idsAtOnce * digits) / 2).toString('hex');
    taken = 0;
  }
  const begin = taken;
  taken += digits;
  return unused.slice(begin, taken);
}
