/** What may be asked of each kind of search: its entities, their keys and operators, as MLflow has them. */
import { type Clause, type Identifier, parseFilter, parseOrdering } from './filterGrammar.ts';
import { columnOf } from './filterTokens.ts';
import { invalid } from './limits.ts';
import type { Comparison, ComparisonOperator, Ordering, SearchEntity } from './types.ts';

/** An attribute by one of its names: the store's key for it, and what it may be compared with. */
export interface Attribute {
  readonly key: string;
  /** `whole` takes whole numbers, in quotes too; `number` any, bare; `id` is a text of digits. */
  readonly type: 'text' | 'number' | 'whole' | 'id';
  /** Whether it takes IN and NOT IN. */
  readonly lists: boolean;
}

export interface SearchRules {
  /** Entities by their names in a filter. */
  readonly entities: Readonly<Record<string, SearchEntity>>;
  /** What filters may compare, by every name that clients use. */
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** What the results may be ordered by: keys of the store, by every name that clients use. */
  readonly sortedBy: Readonly<Record<string, string>>;
  /** Which entities the results may be ordered by. */
  readonly sortedEntities: readonly SearchEntity[];
  /** Which entities beside attributes take IN and NOT IN. */
  readonly listEntities: readonly SearchEntity[];
  /** How MLflow names a wrong key of an order. */
  readonly keyNoun: string;
  /** Whether an order may name a key again, which says nothing more. */
  readonly repeatable?: true;
}

export const text = (key: string, lists = false): Attribute => ({ key, type: 'text', lists });
export const number = (key: string): Attribute => ({ key, type: 'number', lists: false });
export const whole = (key: string): Attribute => ({ key, type: 'whole', lists: false });

export const attributeNames = {
  attributes: 'attribute',
  attribute: 'attribute',
  attr: 'attribute',
  run: 'attribute',
} as const;
export const tagNames = { tags: 'tag', tag: 'tag' } as const;
const metricAndParameterNames = {
  metrics: 'metric',
  metric: 'metric',
  params: 'parameter',
  param: 'parameter',
  parameters: 'parameter',
  parameter: 'parameter',
} as const;

export const runSearchRules: SearchRules = {
  entities: {
    ...metricAndParameterNames,
    ...tagNames,
    ...attributeNames,
    datasets: 'dataset',
    dataset: 'dataset',
  },
  attributes: {
    run_id: text('run_id', true),
    run_name: text('run_name'),
    'run name': text('run_name'),
    'Run name': text('run_name'),
    'Run Name': text('run_name'),
    status: text('status'),
    user_id: text('user_id'),
    artifact_uri: text('artifact_uri'),
    start_time: number('start_time'),
    created: number('start_time'),
    Created: number('start_time'),
    end_time: number('end_time'),
  },
  sortedBy: {
    ...same('run_id', 'run_name', 'status', 'user_id', 'artifact_uri', 'start_time', 'end_time'),
    created: 'start_time',
    Created: 'start_time',
  },
  sortedEntities: ['metric', 'parameter', 'tag', 'attribute'],
  listEntities: ['dataset'],
  keyNoun: 'attribute key',
};

export const experimentSearchRules: SearchRules = {
  entities: { ...tagNames, ...attributeNames },
  attributes: {
    name: text('name'),
    experiment_id: { key: 'experiment_id', type: 'id', lists: true },
    creation_time: whole('creation_time'),
    last_update_time: whole('last_update_time'),
  },
  sortedBy: same('name', 'experiment_id', 'creation_time', 'last_update_time'),
  sortedEntities: ['attribute'],
  listEntities: [],
  keyNoun: 'attribute key',
  repeatable: true,
};

const modelTimes = {
  creation_timestamp: 'creation_time',
  creation_time: 'creation_time',
  creation_timestamp_ms: 'creation_time',
  last_updated_timestamp: 'last_update_time',
  last_updated_timestamp_ms: 'last_update_time',
};
const modelTexts = ['name', 'model_id', 'model_type', 'status', 'source_run_id'] as const;

export const loggedModelSearchRules: SearchRules = {
  entities: { ...metricAndParameterNames, ...tagNames, ...attributeNames },
  attributes: {
    ...Object.fromEntries(modelTexts.map((key) => [key, text(key, true)])),
    ...Object.fromEntries(Object.entries(modelTimes).map(([name, key]) => [name, number(key)])),
  },
  sortedBy: { ...same(...modelTexts), ...modelTimes },
  sortedEntities: ['metric', 'attribute'],
  listEntities: ['parameter', 'tag'],
  keyNoun: 'attribute key',
};

/** Names that are the store's keys themselves. */
export function same(...keys: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(keys.map((key) => [key, key]));
}

const datasetKeys: ReadonlySet<string> = new Set(['name', 'digest', 'context']);
const numericOperators: readonly ComparisonOperator[] = ['>', '>=', '=', '!=', '<', '<='];
const equalities: readonly ComparisonOperator[] = ['=', '!='];
const patterns: readonly ComparisonOperator[] = ['LIKE', 'ILIKE'];
const listOperators: readonly ComparisonOperator[] = ['IN', 'NOT IN'];
const nullOperators: readonly ComparisonOperator[] = ['IS NULL', 'IS NOT NULL'];

/** SQLite takes no longer pattern. */
export const longestPatternBytes = 50_000;
/** So many keys may order one search. */
export const mostOrderings = 50;

/** Parses and checks a filter. Throws `invalidParameter`, which says where the filter is wrong. */
export function readFilter(filter: string, rules: SearchRules): readonly Comparison[] {
  return parseFilter(filter).map((clause) => {
    const refuse = (part: keyof Clause['at'], saying: string) =>
      invalid(`${saying}. At column ${columnOf(filter, clause.at[part])} of the filter.`);
    return readClause(clause, rules, refuse);
  });
}

/** Parses and checks an order. Throws `invalidParameter`, for a repeated key too where the rules refuse it. */
export function readOrder(orderBy: readonly string[], rules: SearchRules): readonly Ordering[] {
  const order = orderBy.map((entry) => {
    const ordering = parseOrdering(entry);
    return { ...resolveOrdering(ordering, rules), ascending: ordering.ascending };
  });
  if (!rules.repeatable) return checkOrder(order);
  return checkOrder(
    order.filter(({ key }, index) => order.findIndex((other) => other.key === key) === index),
  );
}

/** The entity and the store's key of what results are to be ordered by. Throws `invalidParameter`. */
export function resolveOrdering(
  identifier: Identifier,
  rules: SearchRules,
): Pick<Ordering, 'entity' | 'key'> {
  const entity = entityOf(identifier, rules, invalid);
  const { key } = identifier;
  if (!rules.sortedEntities.includes(entity)) throw invalid(`Invalid identifier type '${identifier.entity}'`);
  if (entity !== 'attribute') return { entity, key };
  const sorted = ownValue(rules.sortedBy, key);
  if (sorted !== undefined) return { entity, key: sorted };
  const valid = listed(Object.keys(rules.sortedBy));
  throw invalid(`Invalid ${rules.keyNoun} '${key}' specified. Valid keys are '${valid}'`);
}

/** Throws `invalidParameter` when an order has a key twice, or too many of them. */
export function checkOrder<Item extends Ordering>(order: readonly Item[]): readonly Item[] {
  if (order.length > mostOrderings) throw invalid(`\`order_by\` has more than ${mostOrderings} fields`);
  const seen = new Set<string>();
  for (const { entity, key, datasetName, datasetDigest } of order) {
    const field = JSON.stringify([entity, key, datasetName, datasetDigest]);
    if (seen.has(field)) throw invalid(`\`order_by\` contains duplicate fields: ${entity}.${key}`);
    seen.add(field);
  }
  return order;
}

type Refuse = (part: keyof Clause['at'], saying: string) => Error;

function entityOf({ entity, key }: Identifier, rules: SearchRules, refuse: (saying: string) => Error) {
  const found = entity === null ? 'attribute' : ownValue(rules.entities, entity);
  if (found === undefined) {
    throw refuse(`Invalid entity type '${entity}'. Valid values are ${listed(Object.keys(rules.entities))}`);
  }
  if (found === 'dataset' && !datasetKeys.has(key)) {
    throw refuse(`Invalid dataset key '${key}' specified. Valid keys are ${listed([...datasetKeys])}`);
  }
  return found;
}

function readClause(clause: Clause, rules: SearchRules, refuse: Refuse): Comparison {
  const { key, operator, value } = clause;
  const entity = entityOf(clause, rules, (saying) => refuse('key', saying));
  if (entity !== 'attribute') return readEntityClause(entity, clause, rules, refuse);
  const attribute = ownValue(rules.attributes, key);
  if (attribute === undefined) {
    const valid = listed(Object.keys(rules.attributes));
    throw refuse('key', `Invalid attribute key '${key}' specified. Valid keys are '${valid}'`);
  }
  refuseNull(clause, entity, refuse);
  if (attribute.type === 'number' || attribute.type === 'whole') {
    const number = readNumber(value, attribute.type);
    if (number === null) {
      throw refuse(
        'value',
        attribute.type === 'whole' && typeof value !== 'object'
          ? `Invalid value for numeric attribute '${key}': ${shown(value)}. Expected a whole number`
          : `Expected numeric value type for numeric attribute: ${key}. Found ${shown(value)}`,
      );
    }
    checkOperator(operator, numericOperators, refuse);
    return { entity, key: attribute.key, operator, value: number };
  }
  if (typeof value === 'object' && !attribute.lists) {
    const keys = Object.keys(rules.attributes).filter((name) => rules.attributes[name]?.lists);
    throw refuse(
      'value',
      `Only [${keys.map((name) => `'${name}'`).join(', ')}] attributes support comparison with a list of quoted string values`,
    );
  }
  const checked = readText(
    clause,
    'attributes',
    [...equalities, ...(attribute.type === 'id' ? [] : patterns), ...listOperators],
    refuse,
  );
  if (attribute.type === 'id') {
    const wrong = [checked].flat().find((id) => !/^\d{1,15}$/.test(id));
    if (wrong !== undefined)
      throw refuse('value', `Invalid ID '${shown(wrong)}'. It must be a valid integer`);
  }
  return { entity, key: attribute.key, operator, value: checked };
}

function readEntityClause(
  entity: Exclude<SearchEntity, 'attribute'>,
  clause: Clause,
  rules: SearchRules,
  refuse: Refuse,
): Comparison {
  const { key, operator, value } = clause;
  if (entity === 'metric' || entity === 'dataset') refuseNull(clause, entity, refuse);
  if (entity === 'metric') {
    if (typeof value !== 'number')
      throw refuse('value', `Expected numeric value type for metric. Found ${shown(value)}`);
    checkOperator(operator, numericOperators, refuse);
    return { entity, key, operator, value };
  }
  if (nullOperators.includes(operator)) return { entity, key, operator, value: null };
  const lists = rules.listEntities.includes(entity) ? listOperators : [];
  const noun = entity === 'dataset' ? 'dataset attributes' : entity;
  return {
    entity,
    key,
    operator,
    value: readText(clause, noun, [...equalities, ...patterns, ...lists], refuse),
  };
}

function refuseNull({ key, operator }: Clause, entity: SearchEntity, refuse: Refuse): void {
  if (!nullOperators.includes(operator)) return;
  throw refuse(
    'operator',
    `IS NULL / IS NOT NULL is only supported for tags and params, not for '${entity}' '${key}'`,
  );
}

/** The text, or the texts for IN and NOT IN, of a clause whose operator is one of the allowed. */
function readText(
  { operator, value }: Clause,
  noun: string,
  allowed: readonly ComparisonOperator[],
  refuse: Refuse,
): string | readonly string[] {
  const isList = typeof value === 'object' && value !== null;
  if (isList && listOperators.includes(operator) && allowed.includes(operator)) {
    const texts = value.filter((item) => typeof item === 'string');
    if (texts.length === value.length) return texts;
    throw refuse(
      'value',
      `While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ${shown(value)}`,
    );
  }
  if (typeof value !== 'string') {
    throw refuse(
      'value',
      `Expected a quoted string value for ${noun} (e.g. 'my-value'). Got value ${shown(value)}`,
    );
  }
  checkOperator(operator, allowed, refuse);
  if (listOperators.includes(operator)) {
    throw refuse('value', `Expected a list of quoted string values for ${noun}. Got value ${shown(value)}`);
  }
  if (patterns.includes(operator) && Buffer.byteLength(value) > longestPatternBytes) {
    throw refuse('value', `The pattern is longer than ${longestPatternBytes} bytes`);
  }
  return value;
}

function readNumber(value: Clause['value'], type: 'number' | 'whole'): number | null {
  if (type === 'number') return typeof value === 'number' ? value : null;
  const number = typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : value;
  return Number.isInteger(number) && typeof number === 'number' ? number : null;
}

function checkOperator(
  operator: ComparisonOperator,
  allowed: readonly ComparisonOperator[],
  refuse: Refuse,
): void {
  if (!allowed.includes(operator)) {
    throw refuse('operator', `Invalid comparator '${operator}' not one of ${listed(allowed)}`);
  }
}

/** Own keys only: `constructor` is no entity. */
function ownValue<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function listed(names: readonly string[]): string {
  return `{${names.map((name) => `'${name}'`).join(', ')}}`;
}

function shown(value: Clause['value']): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'object' && value !== null) return `(${value.slice(0, 10).map(shown).join(', ')})`;
  return String(value);
}
