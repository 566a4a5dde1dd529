import { isMap, isScalar, isSeq, parseDocument } from 'yaml';

/** A value of a YAML file whose scalars stay text: what they mean is for who reads them to say. */
export type FlatYaml = string | null | FlatYamlMap | readonly FlatYaml[];
export interface FlatYamlMap {
  readonly [key: string]: FlatYaml;
}

/** A value of a YAML file whose scalars were made into `Scalar`. */
type YamlTree<Scalar> =
  | Scalar
  | null
  | { readonly [key: string]: YamlTree<Scalar> }
  | readonly YamlTree<Scalar>[];

/**
 * Reads a YAML map with all scalars as text, but for those that YAML 1.1 and 1.2 both call null. Python writes names such
 * as `1e3` without quotes, which YAML 1.2 would read as numbers. Nothing is made of tags, and aliases are refused.
 *
 * @throws Error with the reason when it is no map.
 */
export function parseFlatYaml(text: string): FlatYamlMap {
  const value: FlatYaml = parseTree(text, (scalar, isPlain) => (isPlain && isNull(scalar) ? null : scalar));
  if (!isFlatMap(value)) throw new Error('it is no map');
  return value;
}

/**
 * Reads YAML as PyYAML wrote it: a scalar without quotes is a number, a truth or nothing where PyYAML would read it as one,
 * and text otherwise. Nothing is made of tags, and aliases are refused.
 *
 * @throws Error with the reason when it is none.
 */
export function parsePythonYaml(text: string): unknown {
  return parseTree<unknown>(text, (scalar, isPlain) => (isPlain ? pythonScalar(scalar) : scalar));
}

/** The text of a field; null when it is not there, null, or no scalar. */
export function textOf(map: FlatYamlMap, key: string): string | null {
  const value = Object.hasOwn(map, key) ? map[key] : null;
  return typeof value === 'string' ? value : null;
}

/** The whole number of a field; null when it is not there or none. Digits beyond 2^53 are rounded. */
export function numberOf(map: FlatYamlMap, key: string): number | null {
  const text = textOf(map, key);
  return text !== null && /^[+-]?\d+(\.0*)?$/.test(text) ? Number(text) : null;
}

/** The texts of a field that is a map of texts; empty when it is not. */
export function textsOf(
  map: FlatYamlMap,
  key: string,
): readonly { readonly key: string; readonly value: string }[] {
  const value = Object.hasOwn(map, key) ? map[key] : null;
  if (!isFlatMap(value)) return [];
  return Object.entries(value).flatMap(([name, text]) =>
    typeof text === 'string' ? [{ key: name, value: text }] : [],
  );
}

function isFlatMap(value: FlatYaml | undefined): value is FlatYamlMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param scalarOf makes a scalar of its text; plain is one without quotes. */
function parseTree<Scalar>(
  text: string,
  scalarOf: (text: string, isPlain: boolean) => Scalar,
): YamlTree<Scalar> {
  const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error', uniqueKeys: false });
  const [error] = document.errors;
  if (error) throw new Error(error.message);
  const treeOf = (node: unknown): YamlTree<Scalar> => {
    if (node === null || node === undefined) return null;
    if (isScalar(node)) return scalarOf(String(node.value ?? ''), node.type === 'PLAIN');
    if (isSeq(node)) return node.items.map(treeOf);
    if (!isMap(node)) throw new Error('it has an alias');
    return Object.fromEntries(
      node.items.map(({ key, value }) => [String(isScalar(key) ? key.value : ''), treeOf(value)]),
    );
  };
  return treeOf(document.contents);
}

function isNull(text: string): boolean {
  return /^(~|null|Null|NULL|)$/.test(text);
}

/** The implicit types of YAML 1.1 that PyYAML writes without quotes (yaml/resolver.py). */
function pythonScalar(text: string): unknown {
  if (isNull(text)) return null;
  if (/^(true|True|TRUE|yes|Yes|YES|on|On|ON)$/.test(text)) return true;
  if (/^(false|False|FALSE|no|No|NO|off|Off|OFF)$/.test(text)) return false;
  if (/^[-+]?(0|[1-9]\d*)$/.test(text)) return Number(text);
  if (/^[-+]?(\d+\.\d*|\.\d+)([eE][-+]\d+)?$/.test(text)) return Number(text);
  if (/^\.(nan|NaN|NAN)$/.test(text)) return Number.NaN;
  const infinity = /^([-+]?)\.(inf|Inf|INF)$/.exec(text);
  if (infinity) return infinity[1] === '-' ? -Infinity : Infinity;
  return text;
}
