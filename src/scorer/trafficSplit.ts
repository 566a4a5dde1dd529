import type { IncomingHttpHeaders } from 'node:http';
import type { TrafficSplit } from '../protocol/scorer.ts';
import type { VersionWish } from './modelRepository.ts';
import { isJsonObject } from './requestBody.ts';

export type Variant = TrafficSplit['variants'][number];

/** The header of an answer that tells the variant, and of a request that asks to meet it again. */
export const variantHeader = 'x-slipway-variant';

/**
 * The variant that a request meets: the one that it met before and says so, else the one at the place of its sticky
 * key, else one at random. A variant without a share is never met, so that a rollback holds for everyone.
 */
export function chooseVariant(split: TrafficSplit, wish: VersionWish, headers: IncomingHttpHeaders): Variant {
  const before = wish.variant ?? headers[variantHeader];
  if (before !== undefined) {
    const same = split.variants.find(({ name, share }) => name === before && share > 0);
    if (same) return same;
  }
  const key = stickyKey(split.sticky, wish, headers);
  return variantAt(split, key === null ? Math.random() : placeOfKey(split.salt, key));
}

/** The variant at a place in [0, 1): they lie there from the last to the first, which also takes what is left over. */
export function variantAt({ variants }: TrafficSplit, place: number): Variant {
  let bound = 0;
  for (let index = variants.length - 1; index > 0; index--) {
    const variant = variants[index];
    if (!variant) continue;
    bound += variant.share;
    if (place < bound) return variant;
  }
  const [first] = variants;
  if (!first) throw new Error('A traffic split has at least one variant.');
  return first;
}

/**
 * Where a key lies in [0, 1): FNV-1a over its UTF-16 units, mixed by MurmurHash3's finaliser so that keys that differ
 * in their last letter lie far from each other.
 */
export function placeOfKey(salt: string, key: string): number {
  let hash = 0x811c9dc5;
  for (const text of [salt, '\0', key]) {
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function stickyKey(
  sticky: TrafficSplit['sticky'],
  { parameters }: VersionWish,
  headers: IncomingHttpHeaders,
): string | null {
  if (!sticky) return null;
  switch (sticky.from) {
    case 'header': {
      const value = headers[sticky.name.toLowerCase()];
      return (Array.isArray(value) ? value[0] : value) ?? null;
    }
    case 'cookie':
      return cookieValue(headers.cookie ?? '', sticky.name);
    case 'parameter': {
      const value = isJsonObject(parameters) ? parameters[sticky.name] : undefined;
      return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
    }
  }
}

function cookieValue(header: string, name: string): string | null {
  for (const pair of header.split(';')) {
    const [key = '', ...value] = pair.split('=');
    if (key.trim() === name) return value.join('=').trim();
  }
  return null;
}
