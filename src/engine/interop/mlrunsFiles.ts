import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KeyValue } from '../../protocol/tracking.ts';
import type { Omission } from './store.ts';

export type YamlValue = string | number | null | readonly [] | Readonly<Record<string, string>>;

/** Characters that PyYAML refuses, or reads as an end of line, even between quotes. */
const refusedByYaml = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * A `meta.yaml` as MLflow's file store reads it. Texts are quoted as in JSON, so that no version of YAML takes them for
 * anything else.
 */
export function metaYaml(fields: Readonly<Record<string, YamlValue>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}: ${yamlValue(value)}\n`)
    .join('');
}

/** Writes `meta.yaml` into a folder, and the folder. */
export function writeMeta(folder: string, fields: Readonly<Record<string, YamlValue>>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'meta.yaml'), metaYaml(fields));
}

/** Writes each value into a file that its key names; gives what has no place: its file would be another's folder. */
export function writeKeyed(
  folder: string,
  subject: string,
  values: readonly KeyValue[],
): readonly Omission[] {
  mkdirSync(folder, { recursive: true });
  return values.flatMap(({ key, value }) => {
    const detail = writeNew(join(folder, ...key.split('/')), value);
    return detail === null
      ? []
      : [{ subject: `${subject}/${key}`, reason: 'invalidKey', values: { detail } }];
  });
}

/** Writes a file and the folders above it; gives why it cannot be, or null. */
export function writeNew(file: string, text: string): string | null {
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

/** As Python's `float` reads it. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  return Number.isInteger(value) && Math.abs(value) < 1e16 ? `${value}.0` : String(value);
}

function yamlValue(value: YamlValue): string {
  if (value === null || typeof value === 'number') return String(value);
  if (typeof value === 'string') return yamlText(value);
  if (Array.isArray(value)) return '[]';
  const entries = Object.entries(value).map(([key, text]) => `${yamlText(key)}: ${yamlText(text)}`);
  return `{${entries.join(', ')}}`;
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
