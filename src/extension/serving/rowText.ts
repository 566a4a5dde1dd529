import { readableJson } from './readableJson.ts';

/** Texts, the signs of JSON, and numbers and words. */
const tokens = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^"[\]{},:\s]+/g;

/**
 * Logged columns that hold one value each, such as `{"hour":[9],"origin":["ATL"]}`, as `hour: 9, origin: "ATL"`.
 * Numbers are taken as text, so that none loses digits. Null for anything else, and for a text that was cut off.
 */
export function rowText(json: string): string | null {
  if (!isWhole(json)) return null;
  const members: { name: string; value: string }[] = [];
  let depth = 0;
  for (const token of json.match(tokens) ?? []) {
    const before = depth;
    if (token === '[' || token === '{') depth += 1;
    if (token === ']' || token === '}') depth -= 1;
    // The object and its lists themselves.
    if (before === 0 || depth === 0) {
      if (token !== '{' && token !== '}') return null;
      continue;
    }
    if (before === 1) {
      if (token.startsWith('"')) members.push({ name: token, value: '' });
      else if (token !== ':' && token !== ',' && token !== '[') return null;
      continue;
    }
    const member = members.at(-1);
    if (depth === 1) {
      if (token !== ']' || member?.value === '') return null;
    } else {
      if (member === undefined || (before === 2 && token === ',')) return null;
      member.value += token;
    }
  }
  if (members.length === 0 || members.some(({ value }) => value === '')) return null;
  return members.map(({ name, value }) => `${plainName(name)}: ${readableJson(value)}`).join(', ');
}

/** Without quotes where it cannot be taken for anything else. */
function plainName(quoted: string): string {
  return /^"[\p{L}_][\p{L}\p{N}_.-]*"$/u.test(quoted) ? quoted.slice(1, -1) : quoted;
}

function isWhole(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
