import { isMap, isScalar, isSeq, parseDocument } from 'yaml';

/**
 * Reads YAML as PyYAML wrote it: a scalar without quotes is a number, a truth or nothing where PyYAML would read it as one,
 * and text otherwise. Nothing is made of tags, and aliases are refused.
 *
 * @throws Error with the reason when it is none.
 */
export function parsePythonYaml(text: string): unknown {
  const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error', uniqueKeys: false });
  const [error] = document.errors;
  if (error) throw new Error(error.message);
  return plainValue(document.contents);
}

function plainValue(node: unknown): unknown {
  if (node === null || node === undefined) return null;
  if (isScalar(node)) {
    const text = String(node.value ?? '');
    return node.type === 'PLAIN' ? scalarOf(text) : text;
  }
  if (isSeq(node)) return node.items.map(plainValue);
  if (isMap(node)) {
    return Object.fromEntries(
      node.items.map(({ key, value }) => [String(isScalar(key) ? key.value : ''), plainValue(value)]),
    );
  }
  throw new Error('it has an alias');
}

/** The implicit types of YAML 1.1 that PyYAML writes without quotes (yaml/resolver.py). */
function scalarOf(text: string): unknown {
  if (/^(~|null|Null|NULL|)$/.test(text)) return null;
  if (/^(true|True|TRUE|yes|Yes|YES|on|On|ON)$/.test(text)) return true;
  if (/^(false|False|FALSE|no|No|NO|off|Off|OFF)$/.test(text)) return false;
  if (/^[-+]?(0|[1-9]\d*)$/.test(text)) return Number(text);
  if (/^[-+]?(\d+\.\d*|\.\d+)([eE][-+]\d+)?$/.test(text)) return Number(text);
  if (/^\.(nan|NaN|NAN)$/.test(text)) return Number.NaN;
  const infinity = /^([-+]?)\.(inf|Inf|INF)$/.exec(text);
  if (infinity) return infinity[1] === '-' ? -Infinity : Infinity;
  return text;
}
