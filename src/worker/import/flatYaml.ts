import { isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';

/** A value of a YAML file whose scalars stay text: what they mean is for who reads them to say. */
export type FlatYaml = string | null | FlatYamlMap | readonly FlatYaml[];
export interface FlatYamlMap {
  readonly [key: string]: FlatYaml;
}

/**
 * Reads a YAML map with all scalars as text, but for those that YAML 1.1 and 1.2 both call null. Python writes names such
 * as `1e3` without quotes, which YAML 1.2 would read as numbers. Nothing is made of tags, and aliases are refused.
 *
 * @throws Error with the reason when it is no map.
 */
export function parseFlatYaml(text: string): FlatYamlMap {
  const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error', uniqueKeys: false });
  const [error] = document.errors;
  if (error) throw new Error(error.message);
  const value = flatten(document.contents);
  if (value === null || typeof value === 'string' || Array.isArray(value)) throw new Error('it is no map');
  return value as FlatYamlMap;
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
  if (value === null || value === undefined || typeof value === 'string' || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, text]) =>
    typeof text === 'string' ? [{ key: name, value: text }] : [],
  );
}

function flatten(node: Node | null): FlatYaml {
  if (isScalar(node)) {
    const text = String(node.value ?? '');
    return node.type === 'PLAIN' && /^(~|null|Null|NULL|)$/.test(text) ? null : text;
  }
  if (isMap(node)) {
    const entries = node.items.map(({ key, value }) => [
      String(isScalar(key) ? key.value : ''),
      flatten(isNode(value) ? value : null),
    ]);
    return Object.fromEntries(entries);
  }
  if (isSeq(node)) return node.items.map((item) => flatten(isNode(item) ? item : null));
  if (node === null) return null;
  throw new Error('it has an alias');
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}
