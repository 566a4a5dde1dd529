import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KeyValue } from '../../protocol/tracking.ts';
import { keyProblem } from '../tracking/importParts.ts';
import type { Omission } from './store.ts';

/** Characters that PyYAML refuses, or reads as an end of line, even between quotes. */
const refusedByYaml = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * A `meta.yaml`, or another map, as MLflow's file store reads it; its values are those that JSON has. Texts are quoted as in
 * JSON, so that no version of YAML takes them for anything else.
 */
export function metaYaml(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}: ${yamlValue(value)}\n`)
    .join('');
}

/** Writes `meta.yaml` into a folder, and the folder. */
export function writeMeta(folder: string, fields: Readonly<Record<string, unknown>>): void {
  writeYaml(join(folder, 'meta.yaml'), fields);
}

/** Writes a file with a YAML map, and the folders above it. */
export function writeYaml(file: string, fields: Readonly<Record<string, unknown>>): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, metaYaml(fields));
}

/** Writes each value into a file that its key names; gives what has no place, such as what would be another's folder. */
export function writeKeyed(
  folder: string,
  subject: string,
  values: readonly KeyValue[],
): readonly Omission[] {
  mkdirSync(folder, { recursive: true });
  return values.flatMap(({ key, value }) => {
    const detail = writeKey(folder, key, value);
    return detail === null ? [] : [keyOmission(subject, key, detail)];
  });
}

/** Creates the file that a key names, and the folders above it; gives why it cannot be, or null. */
export function writeKey(folder: string, key: string, text: string): string | null {
  // MLflow reads none of an owner's keys when it does not allow one of them; and some would lead out of the folder.
  const problem = keyProblem(key, 'Tag key');
  if (problem !== null) return problem;
  const file = fileOfKey(folder, key);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
    return null;
  } catch (error) {
    if (hasCode(error, 'EEXIST', 'EISDIR', 'ENOTDIR')) return 'another key has the name of its file';
    if (hasCode(error, 'ENAMETOOLONG', 'EINVAL', 'ENOENT')) return 'no file can be called so';
    throw error;
  }
}

/** Where `writeKey` writes. */
export function fileOfKey(folder: string, key: string): string {
  return join(folder, ...key.split('/'));
}

export function keyOmission(subject: string, key: string, detail: string): Omission {
  return { subject: `${subject}/${key}`, reason: 'invalidKey', values: { detail } };
}

/** Whether a folder or file can be called as an id that may have come from elsewhere. */
export function isPlainName(id: string): boolean {
  return /^[A-Za-z0-9][\w.:-]{0,249}$/.test(id);
}

/** As Python's `float` reads it. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  return Number.isInteger(value) && Math.abs(value) < 1e16 ? `${value}.0` : String(value);
}

function yamlValue(value: unknown): string {
  if (typeof value === 'string') return yamlText(value);
  if (typeof value === 'number') return yamlNumber(value);
  if (typeof value !== 'object' || value === null) return String(value ?? null);
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(', ')}]`;
  const entries = Object.entries(value).map(([key, item]) => `${yamlText(key)}: ${yamlValue(item)}`);
  return `{${entries.join(', ')}}`;
}

/** YAML 1.1 takes a number with an exponent for a text unless it has a point. */
function yamlNumber(value: number): string {
  return String(value).replace(/^(-?\d+)e/, '$1.0e');
}

function yamlText(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    refusedByYaml,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}
