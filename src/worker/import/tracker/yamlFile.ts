import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { statusOf } from './sourceFiles.ts';

/** A file of settings or metrics is never larger on purpose. */
const largestFile = 16 * 1024 * 1024;
/** What aliases may add up to: a file of a few lines can stand for billions. */
const mostAliases = 1000;

/**
 * Reads a YAML file whose scalars stay text: Python and YAML 1.2 do not agree on what is a number. Aliases are followed as
 * long as they stay few, and nothing is made of tags.
 *
 * @returns null when there is no such file.
 * @throws Error with the reason when it cannot be read.
 */
export function readYamlTexts(file: string): unknown {
  const text = readSmallFile(file);
  if (text === null) return null;
  const document = parseDocument(text, { schema: 'failsafe', merge: true, logLevel: 'error' });
  const [error] = document.errors;
  if (error !== undefined) throw new Error(error.message.split('\n', 1)[0]);
  return document.toJS({ maxAliasCount: mostAliases });
}

/** The text of a file; null when there is none. @throws Error when it is too large. */
export function readSmallFile(file: string): string | null {
  const found = statusOf(file);
  if (!found?.isFile()) return null;
  if (found.size > largestFile) throw new Error(`it is larger than ${largestFile / 1024 / 1024} MB`);
  return readFileSync(file, 'utf8');
}
