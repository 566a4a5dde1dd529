import { extname } from 'node:path';
import { isObject, type Leaf, leavesOf, parameterText, parsePythonJson } from '../tracker/nestedValues.ts';
import { numberOf } from '../tracker/numbers.ts';
import { readSmallFile, readYamlTexts } from '../tracker/yamlFile.ts';

/**
 * The values of a file of parameters or metrics, JSON or YAML, nested keys joined with dots. Scalars of YAML are texts.
 *
 * @returns null when there is no such file.
 * @throws Error with the reason when it cannot be read, or is of another format that DVC knows.
 */
export function readValues(file: string): readonly Leaf[] | null {
  const extension = extname(file).toLowerCase();
  if (extension === '.toml' || extension === '.py')
    throw new Error(`files that end in ${extension} are not read`);
  const values = extension === '.json' ? readJson(file) : readYamlTexts(file);
  if (values === null) return null;
  if (!isObject(values)) throw new Error('it is no map of keys and values');
  return leavesOf(values);
}

function readJson(file: string): unknown {
  const text = readSmallFile(file);
  return text === null ? null : parsePythonJson(text);
}

/** The number that the value of a metric is; null when it is none. */
export function metricValue(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'string' ? numberOf(value) : null;
}

/** The text of a parameter's value. Of a list it has no quotes, because the scalars of YAML files are all texts. */
export function textValue(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(textValue).join(', ')}]` : parameterText(value);
}
