/**
 * The grammar of MLflow's search filters: clauses joined by AND, each `identifier operator value`. Knows nothing of what
 * the identifiers mean; `searchRules.ts` does.
 */
import { invalid } from './limits.ts';
import type { ComparisonOperator } from './types.ts';

export interface Identifier {
  /** What stands before the first dot, such as `metrics`; null for a bare key. */
  readonly entity: string | null;
  readonly key: string;
}

export interface Clause extends Identifier {
  readonly operator: ComparisonOperator;
  /** A number when it was written bare, a text when quoted; null with `IS [NOT] NULL`. */
  readonly value: number | string | readonly (number | string)[] | null;
}

type Token =
  | { readonly type: 'word'; readonly text: string }
  | { readonly type: 'quoted'; readonly text: string; readonly quote: string }
  | { readonly type: 'symbol'; readonly text: string };

const tokenPattern =
  /\s*(?:(?<symbol>>=|<=|!=|[=<>(),])|(?<single>'(?:[^']|'')*')|(?<double>"(?:[^"]|"")*")|(?<tick>`[^`]*`)|(?<word>[^\s=<>!(),'"`]+))/gy;

/** Reads a filter. The empty filter has no clauses. Throws `invalidParameter`. */
export function parseFilter(filter: string): readonly Clause[] {
  const tokens = tokenize(filter, `Invalid filter string: ${JSON.stringify(filter)}.`);
  const clauses: Clause[] = [];
  let position = 0;
  const complain = (from: number) =>
    invalid(
      `Invalid clause(s) in filter string: ${tokens
        .slice(from)
        .map(({ text }) => `'${text}'`)
        .join(', ')}`,
    );
  while (position < tokens.length) {
    const start = position;
    const name = readIdentifier(tokens, position);
    const operator = name && readOperator(tokens, name.next);
    if (!name || !operator) throw complain(start);
    const value = takesNoValue(operator.operator)
      ? { value: null, next: operator.next }
      : readValue(tokens, operator.next);
    if (!value) throw complain(start);
    clauses.push({ ...name.identifier, operator: operator.operator, value: value.value });
    position = value.next;
    if (position === tokens.length) break;
    if (!isWord(tokens[position], 'AND')) throw complain(start);
    position += 1;
  }
  return clauses;
}

/** Reads one entry of an order, such as `metrics.loss DESC`. Ascending unless said. Throws `invalidParameter`. */
export function parseOrdering(text: string): Identifier & { readonly ascending: boolean } {
  const complaint = `Invalid ordering key in order_by clause '${text}'.`;
  const tokens = tokenize(text, complaint);
  const name = readIdentifier(tokens, 0);
  if (!name) throw invalid(complaint);
  const rest = tokens.slice(name.next);
  const isDescending = isWord(rest[0], 'DESC');
  if (rest.length > 1 || (rest.length === 1 && !isDescending && !isWord(rest[0], 'ASC'))) {
    throw invalid(complaint);
  }
  return { ...name.identifier, ascending: !isDescending };
}

function tokenize(text: string, complaint: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < end) {
    const groups = tokenPattern.exec(text)?.groups;
    if (!groups) throw invalid(complaint);
    const quoted = groups.single ?? groups.double ?? groups.tick;
    if (quoted !== undefined) {
      const quote = quoted.charAt(0);
      tokens.push({ type: 'quoted', quote, text: quoted.slice(1, -1).replaceAll(quote + quote, quote) });
    } else if (groups.symbol !== undefined) {
      tokens.push({ type: 'symbol', text: groups.symbol });
    } else {
      tokens.push({ type: 'word', text: groups.word ?? '' });
    }
  }
  return tokens;
}

/** `key`, `entity.key`, or either with its key in backticks or double quotes. */
function readIdentifier(
  tokens: readonly Token[],
  position: number,
): { readonly identifier: Identifier; readonly next: number } | null {
  const token = tokens[position];
  if (token?.type === 'quoted' && token.quote !== "'") {
    return { identifier: { entity: null, key: token.text }, next: position + 1 };
  }
  if (token?.type !== 'word') return null;
  const dot = token.text.indexOf('.');
  if (dot < 0) return { identifier: { entity: null, key: token.text }, next: position + 1 };
  const entity = token.text.slice(0, dot);
  const key = token.text.slice(dot + 1);
  if (key !== '') return { identifier: { entity, key }, next: position + 1 };
  const quoted = tokens[position + 1];
  if (quoted?.type !== 'quoted' || quoted.quote === "'") return null;
  return { identifier: { entity, key: quoted.text }, next: position + 2 };
}

const symbols = ['=', '!=', '>', '>=', '<', '<='] as const;
const phrases = [['LIKE'], ['ILIKE'], ['IN'], ['NOT', 'IN'], ['IS', 'NULL'], ['IS', 'NOT', 'NULL']] as const;

function readOperator(
  tokens: readonly Token[],
  position: number,
): { readonly operator: ComparisonOperator; readonly next: number } | null {
  const token = tokens[position];
  if (token?.type === 'symbol') {
    const operator = symbols.find((symbol) => symbol === token.text);
    return operator ? { operator, next: position + 1 } : null;
  }
  for (const phrase of phrases) {
    if (phrase.every((word, index) => isWord(tokens[position + index], word))) {
      return { operator: operatorOf(phrase), next: position + phrase.length };
    }
  }
  return null;
}

function operatorOf(phrase: (typeof phrases)[number]): ComparisonOperator {
  if (phrase.length === 3) return 'IS NOT NULL';
  if (phrase.length === 1) return phrase[0];
  return phrase[0] === 'NOT' ? 'NOT IN' : 'IS NULL';
}

function takesNoValue(operator: ComparisonOperator): boolean {
  return operator === 'IS NULL' || operator === 'IS NOT NULL';
}

function readValue(
  tokens: readonly Token[],
  position: number,
): { readonly value: Clause['value']; readonly next: number } | null {
  const token = tokens[position];
  if (token?.type !== 'symbol') {
    const value = readLiteral(token);
    return value === null ? null : { value, next: position + 1 };
  }
  if (token.text !== '(') return null;
  const items: (number | string)[] = [];
  for (let at = position + 1; ; at += 2) {
    const item = readLiteral(tokens[at]);
    const separator = tokens[at + 1];
    if (item === null || separator?.type !== 'symbol') return null;
    items.push(item);
    if (separator.text === ')') return { value: items, next: at + 2 };
    if (separator.text !== ',') return null;
  }
}

function readLiteral(token: Token | undefined): number | string | null {
  if (token?.type === 'quoted') return token.quote === '`' ? null : token.text;
  if (token?.type !== 'word' || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(token.text)) return null;
  return Number(token.text);
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.type === 'word' && token.text.toUpperCase() === word;
}
