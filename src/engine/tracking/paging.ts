/** Page tokens: opaque to clients, they hold where the next page begins. */
import { createHash } from 'node:crypto';
import { parseJsonOrNull } from './jsonText.ts';
import { invalid } from './limits.ts';
import type { Page, QueryResult, SortValue } from './types.ts';

/** Reads a page token; the empty one means the first page. `subject` is what the token was made for. */
export function readPageToken(token: string, subject: unknown): readonly SortValue[] | null {
  if (token === '') return null;
  const content = parseJsonOrNull(Buffer.from(token, 'base64').toString('utf8'));
  if (!Array.isArray(content)) throw invalid('Invalid page token, could not base64-decode');
  const [fingerprint, ...values]: unknown[] = content;
  if (fingerprint !== fingerprintOf(subject)) {
    throw invalid('Invalid page token: it belongs to a search with another filter or order.');
  }
  return values.map(readSortValue);
}

/** The page that a query gave. `subject` must be the same for the next page. */
export function pageOf<Item>(result: QueryResult<Item>, subject: unknown): Page<Item> {
  const { items, last } = result;
  if (last === null) return { items, nextPageToken: null };
  const content = JSON.stringify([fingerprintOf(subject), ...last.map(writeSortValue)]);
  return { items, nextPageToken: Buffer.from(content).toString('base64') };
}

function fingerprintOf(subject: unknown): string {
  return createHash('sha256').update(JSON.stringify(subject)).digest('base64url').slice(0, 12);
}

/** JSON has no infinities. */
function writeSortValue(value: SortValue): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? { infinite: Math.sign(value) } : value;
}

function readSortValue(value: unknown): SortValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'object' && 'infinite' in value) {
    return value.infinite === 1 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }
  throw invalid('Invalid page token, could not base64-decode');
}
