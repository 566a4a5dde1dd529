import { createHash } from 'node:crypto';
import type { ImportOmission } from '../../../protocol/importing.ts';
import { omission } from './omission.ts';

/** The longest key that MLflow's database holds. */
const longestKey = 250;
const hashDigits = 8;

/**
 * The key nearest to a name that MLflow allows: letters, digits and `_ - . : / space`, and no path that leads elsewhere.
 * A name that is allowed stays as it is.
 */
export function allowedKey(name: string): string {
  const segments = name
    .replaceAll('%', 'percent')
    .replace(/[()[\]{}]/g, '')
    .replace(/[^\p{L}\p{N}_/.\- :]/gu, '_')
    .split('/')
    .map((segment) => segment.trim())
    .filter((segment) => segment !== '' && segment !== '.')
    .map((segment) => (segment.startsWith('..') ? `_${segment}` : segment));
  const key = isAllowed(name) ? name : segments.join('/') || '_';
  return key.length > longestKey ? `${key.slice(0, longestKey - hashDigits - 1)}_${shortHash(key)}` : key;
}

function isAllowed(name: string): boolean {
  return (
    /^[\p{L}\p{N}_/.\- :]+$/u.test(name) &&
    name.split('/').every((segment) => segment !== '' && segment !== '.' && !segment.startsWith('..'))
  );
}

/** The keys of one run's metrics, parameters or tags, by the names that the source gives them. */
export interface Keys {
  /** The key of a name; always the same one, and never that of another name. */
  of(name: string): string;
  /** Whether a name was asked for before. */
  has(name: string): boolean;
  /** Keys that are not their names. */
  changed(): Iterable<ImportOmission>;
}

/** @param subject whose keys they are, such as `run 1/metrics`. */
export function createKeys(subject: string): Keys {
  const keys = new Map<string, string>();
  const names = new Map<string, string>();
  return {
    of(name) {
      const known = keys.get(name);
      if (known !== undefined) return known;
      const plain = allowedKey(name);
      const key = names.has(plain)
        ? `${plain.slice(0, longestKey - hashDigits - 1)}_${shortHash(name)}`
        : plain;
      keys.set(name, key);
      names.set(key, name);
      return key;
    },
    has: (name) => keys.has(name),
    *changed() {
      for (const [name, key] of keys) {
        if (key !== name) yield omission(`${subject}/${name}`, 'keyChanged', { key });
      }
    },
  };
}

/** A name as part of a path of artifacts: it may have folders, and leads nowhere else. */
export function artifactPath(name: string): string {
  return allowedKey(name.replaceAll('\\', '/')).replaceAll(':', '_');
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, hashDigits);
}
