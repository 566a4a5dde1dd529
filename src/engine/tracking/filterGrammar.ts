/**
 * The grammar of MLflow's search filters: clauses joined by AND, each `identifier operator value`. Knows nothing of what
 * the identifiers mean; `searchRules.ts` does.
 */
import { complaint, isNumber, isWord, shorten, type Token, tokenize } from './filterTokens.ts';
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
  /** Offsets in the filter of the clause's identifier, operator and value. */
  readonly at: { readonly key: number; readonly operator: number; readonly value: number };
}

/** A filter may have so many clauses, and a list of it so many values; beyond that it is refused. */
export const mostClauses = 500;
export const mostListValues = 10_000;
const mostCharacters = 1_000_000;

interface Read<Value> {
  readonly value: Value;
  /** Index of the token behind it. */
  readonly next: number;
}

/** How much of a wrong clause is shown. */
const mostTokensShown = 12;

const aName = 'a name such as metrics.loss';
const anOperator = 'a comparison such as = or LIKE';

/**
 * Reads a filter. The empty filter has no clauses. As MLflow does, it takes an AND too many at the beginning, the end or
 * between two clauses, and one too few between two clauses. Throws `invalidParameter`, which says where the filter went
 * wrong.
 */
export function parseFilter(filter: string): readonly Clause[] {
  if (filter.length > mostCharacters) {
    throw invalid(`Invalid filter string: it is longer than ${mostCharacters} characters.`);
  }
  const tokens = tokenize(filter);
  const semicolon = tokens.findIndex(({ source }) => source === ';');
  if (semicolon >= 0 && semicolon < tokens.length - 1) {
    const saying = `Search filter contained multiple expression '${shorten(filter)}'. Provide AND-ed expression list`;
    throw complaint(saying, filter, tokens[semicolon], 'AND');
  }
  const clauses: Clause[] = [];
  for (let position = skipAnds(tokens, 0); position < tokens.length; ) {
    const lacksAnd = clauses.length > 0 && !isWord(tokens[position - 1], 'AND');
    const clause = readClause(filter, tokens, position, lacksAnd);
    clauses.push(clause.value);
    if (clauses.length > mostClauses) {
      throw invalid(`Invalid filter string: it has more than ${mostClauses} clauses.`);
    }
    position = skipAnds(tokens, clause.next);
  }
  return clauses;
}

/** Reads one entry of an order, such as `metrics.loss DESC`. Ascending unless said. Throws `invalidParameter`. */
export function parseOrdering(text: string): Identifier & { readonly ascending: boolean } {
  const saying = `Invalid order_by clause '${shorten(text)}'. Could not be parsed`;
  const tokens = tokenize(text);
  const name = readIdentifier(tokens, 0);
  if (!name) throw complaint(saying, text, tokens[0], aName);
  const [direction, surplus] = tokens.slice(name.next);
  const isAscending = direction === undefined || isWord(direction, 'ASC');
  if (surplus || (direction && direction.type !== 'word')) {
    throw complaint(saying, text, surplus ?? direction, 'the end');
  }
  if (!isAscending && !isWord(direction, 'DESC')) {
    throw complaint(
      `Invalid ordering key in order_by clause '${shorten(text)}'`,
      text,
      direction,
      'ASC or DESC',
    );
  }
  const [first] = tokens;
  if (first?.type === 'quoted' && first.text.includes('.') && name.next === 1) {
    // MLflow takes an identifier that is in quotes as a whole when a direction follows, and only then.
    const whole = direction ? first.text : first.source;
    const dot = whole.indexOf('.');
    return { entity: whole.slice(0, dot), key: whole.slice(dot + 1), ascending: isAscending };
  }
  return { ...name.value, ascending: isAscending };
}

function skipAnds(tokens: readonly Token[], from: number): number {
  let position = from;
  while (isWord(tokens[position], 'AND')) position += 1;
  return position;
}

function readClause(
  filter: string,
  tokens: readonly Token[],
  start: number,
  lacksAnd: boolean,
): Read<Clause> {
  const refuse = (at: number, expected: string) => {
    const rest = tokens.slice(start, start + mostTokensShown).map(({ source }) => `'${shorten(source)}'`);
    return complaint(`Invalid clause(s) in filter string: ${rest.join(', ')}`, filter, tokens[at], expected);
  };
  const name = readIdentifier(tokens, start);
  const [first, second] = [tokens[start], tokens[start + 1]];
  if (!name || isNumber(first)) {
    if (first && second?.type === 'symbol' && (isNumber(first) || first.quote !== '')) {
      const saying = `Invalid comparison clause. Expected 'Identifier' found '${first.source}'`;
      throw complaint(saying, filter, first, aName);
    }
    if (first?.text.endsWith('.')) throw refuse(start + 1, 'a key, right behind the dot');
    throw refuse(start, lacksAnd ? 'AND or the end' : aName);
  }
  const operator = readOperator(tokens, name.next);
  if (!operator) throw lacksAnd ? refuse(start, 'AND or the end') : refuse(name.next, anOperator);
  if (operator.value === null) {
    const written = tokens.slice(name.next, operator.next).map(({ source }) => source);
    throw complaint(`Invalid comparator '${written.join(' ')}'`, filter, tokens[name.next], anOperator);
  }
  const { entity, key } = name.value;
  const clause = (value: Clause['value'], next: number): Read<Clause> => ({
    value: {
      entity,
      key,
      operator: operator.value ?? '=',
      value,
      at: {
        key: first?.start ?? 0,
        operator: tokens[name.next]?.start ?? 0,
        value: tokens[operator.next]?.start ?? filter.length,
      },
    },
    next,
  });
  if (operator.value === 'IS NULL' || operator.value === 'IS NOT NULL') return clause(null, operator.next);
  const token = tokens[operator.next];
  const literal = readLiteral(token);
  if (literal !== null) return clause(literal, operator.next + 1);
  if (token?.source === '(') {
    const list = readList(filter, tokens, operator.next);
    return clause(list.value, list.next);
  }
  const isBare = token?.type === 'word' || token?.quote === '`';
  if (!token || !isBare || /^(true|false)$/i.test(token.text)) throw refuse(operator.next, 'a value');
  throw entity?.startsWith('metric')
    ? complaint(`Expected numeric value type for metric. Found ${token.source}`, filter, token, 'a number')
    : complaint(
        `Parameter value is either not quoted or unidentified quote types used for string value ${token.source}. ` +
          'Use either single or double quotes',
        filter,
        token,
        'a text in quotes, or a number',
      );
}

/** `key`, `entity.key`, either with its key in quotes, or the entity in backticks. */
function readIdentifier(tokens: readonly Token[], position: number): Read<Identifier> | null {
  const [token, follower] = [tokens[position], tokens[position + 1]];
  const adjoins = token !== undefined && follower?.start === token.end;
  if (token?.quote === '`' && adjoins && follower.type === 'word' && follower.text.startsWith('.')) {
    return readKey(tokens, position + 1, token.text, follower.text.slice(1));
  }
  if (token?.type === 'quoted' && token.quote !== "'") {
    return { value: { entity: null, key: token.text }, next: position + 1 };
  }
  if (token?.type !== 'word') return null;
  const dot = token.text.indexOf('.');
  if (dot < 0) return { value: { entity: null, key: token.text }, next: position + 1 };
  return readKey(tokens, position, token.text.slice(0, dot), token.text.slice(dot + 1));
}

/** The key behind an entity's dot; when nothing is left of the word that has the dot, it is the quoted token after it. */
function readKey(
  tokens: readonly Token[],
  position: number,
  entity: string,
  rest: string,
): Read<Identifier> | null {
  if (rest !== '') return { value: { entity, key: rest }, next: position + 1 };
  const quoted = tokens[position + 1];
  if (quoted?.type !== 'quoted') return null;
  return { value: { entity, key: quoted.text }, next: position + 2 };
}

const operators: Readonly<Record<string, ComparisonOperator>> = {
  '=': '=',
  '!=': '!=',
  '>': '>',
  '>=': '>=',
  '<': '<',
  '<=': '<=',
  LIKE: 'LIKE',
  ILIKE: 'ILIKE',
  IN: 'IN',
  'NOT IN': 'NOT IN',
  'IS NULL': 'IS NULL',
  'IS NOT NULL': 'IS NOT NULL',
};
/** Comparisons of SQL that a search does not have. */
const foreignOperators: ReadonlySet<string> = new Set([
  '<>',
  '==',
  '~',
  '~=',
  'RLIKE',
  'NOT LIKE',
  'NOT ILIKE',
]);

/** The longest operator that begins at a token; its value is null when searches do not have it. */
function readOperator(tokens: readonly Token[], position: number): Read<ComparisonOperator | null> | null {
  for (const length of [3, 2, 1]) {
    const words = tokens.slice(position, position + length);
    if (words.some(({ type }) => type !== 'word' && (type !== 'symbol' || length > 1))) continue;
    const written = words.map(({ text }) => text.toUpperCase()).join(' ');
    const operator = Object.hasOwn(operators, written) ? operators[written] : undefined;
    if (operator) return { value: operator, next: position + length };
    if (foreignOperators.has(written)) return { value: null, next: position + length };
  }
  return null;
}

/** A list of values in parentheses; a comma behind the last is taken. */
function readList(
  filter: string,
  tokens: readonly Token[],
  open: number,
): Read<readonly (number | string)[]> {
  const refuse = (at: number, saying: string, expected: string) =>
    complaint(`While parsing a list in the query, expected ${saying}`, filter, tokens[at], expected);
  const texts = 'a non-empty list of string values';
  const items: (number | string)[] = [];
  for (let at = open + 1; ; at += 2) {
    const closes = tokens[at]?.source === ')';
    if (closes && items.length > 0) return { value: items, next: at + 1 };
    if (closes) throw refuse(at, `${texts}, but got empty list`, 'a text in quotes');
    const item = readLiteral(tokens[at]);
    if (item === null) throw refuse(at, `${texts}, but got ill-formed list`, 'a text in quotes');
    items.push(item);
    if (items.length > mostListValues) {
      throw invalid(`Invalid filter string: a list of it has more than ${mostListValues} values.`);
    }
    const separator = tokens[at + 1];
    if (separator?.source === ')') return { value: items, next: at + 2 };
    if (separator?.source !== ',')
      throw refuse(at + 1, `${texts}, but got ill-formed list`, 'a comma or a closing parenthesis');
  }
}

function readLiteral(token: Token | undefined): number | string | null {
  if (token?.type === 'quoted') return token.quote === '`' ? null : token.text;
  return token && isNumber(token) ? Number(token.text) : null;
}
