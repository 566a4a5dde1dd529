import { SlipwayError } from '../../protocol/errors.ts';

export const operators = ['=', '!=', '<', '<=', '>', '>=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'] as const;
export type Operator = (typeof operators)[number];

/** One comparison of a filter string: `attribute` or `tag`, its key, and what it is compared with. */
export interface Comparison {
  readonly entity: 'attribute' | 'tag';
  readonly key: string;
  readonly operator: Operator;
  /** A list for IN and NOT IN. */
  readonly value: string | number | readonly string[];
}

// In this order: an operator's word, such as IN, must not begin a longer name.
const tokenPattern =
  /\s+|(?<comparator><=|>=|!=|<>|=|<|>)|(?<word>(?:NOT\s+IN|IN|LIKE|ILIKE|AND)\b)|(?<number>-?\d+(?:\.\d*)?(?:e[+-]?\d+)?(?![\w.]))|(?<text>'[^']*'|"[^"]*")|(?<punctuation>[(),])|(?<identifier>[A-Za-z_][\w-]*(?:\.(?:`[^`]*`|"[^"]*"|[^\s=!<>'"`(),]+))?)|(?<unknown>.)/giy;

/** Beyond these SQLite would refuse the statement. */
const mostComparisons = 100;
const mostListValues = 1000;

interface Token {
  readonly kind: string;
  readonly text: string;
}

/**
 * Parses the filter string of a registry search: comparisons joined by AND (MLflow's search syntax).
 *
 * @throws SlipwayError `invalidParameter` when it is no such string.
 */
export function parseFilter(filter: string): readonly Comparison[] {
  const tokens = tokenize(filter);
  const comparisons: Comparison[] = [];
  let position = 0;
  const take = (): Token => tokens[position++] ?? { kind: 'end', text: '' };
  while (position < tokens.length) {
    comparisons.push(parseComparison(take, filter));
    if (comparisons.length > mostComparisons) throw refused(filter);
    if (position === tokens.length) break;
    const conjunction = take();
    if (conjunction.kind !== 'word' || conjunction.text.toUpperCase() !== 'AND') throw refused(filter);
  }
  return comparisons;
}

function tokenize(filter: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const match of filter.matchAll(tokenPattern)) {
    const found = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined);
    if (!found) continue;
    const [kind, text] = found;
    if (kind === 'unknown') throw refused(filter);
    tokens.push({ kind, text });
  }
  return tokens;
}

function parseComparison(take: () => Token, filter: string): Comparison {
  const { entity, key } = parseIdentifier(take(), filter);
  const word = take();
  const written = word.text.toUpperCase().replace(/\s+/g, ' ');
  const operator = operators.find((known) => known === (written === '<>' ? '!=' : written));
  if (operator === undefined) throw refused(filter);
  const value =
    operator === 'IN' || operator === 'NOT IN' ? parseList(take, filter) : parseValue(take(), filter);
  return { entity, key, operator, value };
}

function parseIdentifier(token: Token, filter: string): Pick<Comparison, 'entity' | 'key'> {
  if (token.kind !== 'identifier') throw refused(filter);
  const dot = token.text.indexOf('.');
  const key = token.text.slice(dot + 1).replace(/^([`"])(.*)\1$/s, '$2');
  if (dot < 0) return { entity: 'attribute', key };
  const prefix = token.text.slice(0, dot);
  if (prefix === 'attribute' || prefix === 'attributes') return { entity: 'attribute', key };
  if (prefix === 'tag' || prefix === 'tags') return { entity: 'tag', key };
  throw new SlipwayError('invalidParameter', {
    detail: `Invalid entity type '${prefix}'. Valid entity types are ('attribute', 'tag', 'tags')`,
  });
}

function parseValue(token: Token, filter: string): string | number {
  if (token.kind === 'text') return token.text.slice(1, -1);
  if (token.kind === 'number') return Number(token.text);
  throw refused(filter);
}

function parseList(take: () => Token, filter: string): readonly string[] {
  if (take().text !== '(') throw refused(filter);
  const values: string[] = [];
  for (;;) {
    const value = parseValue(take(), filter);
    if (typeof value !== 'string') throw refused(filter);
    values.push(value);
    if (values.length > mostListValues) throw refused(filter);
    const next = take().text;
    if (next === ')') return values;
    if (next !== ',') throw refused(filter);
  }
}

function refused(filter: string): SlipwayError {
  return new SlipwayError('invalidParameter', {
    detail:
      `Invalid filter string: ${JSON.stringify(filter.slice(0, 1000))}. Expected a list of comparisons separated by ` +
      "'AND' (e.g. \"name = 'my_model' AND tags.team = 'risk'\").",
  });
}
