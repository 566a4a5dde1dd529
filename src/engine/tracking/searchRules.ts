/** What may be asked of each kind of search: its entities, their keys and operators, as MLflow has them. */
import { type Clause, type Identifier, parseFilter, parseOrdering } from './filterGrammar.ts';
import { invalid } from './limits.ts';
import type { Comparison, ComparisonOperator, Ordering, SearchEntity } from './types.ts';

type AttributeType = 'text' | 'number';

/** The attributes of a search by every name that clients use for them. */
type Attributes = Readonly<Record<string, { readonly key: string; readonly type: AttributeType }>>;

export interface SearchRules {
  /** Entities by their names in a filter. */
  readonly entities: Readonly<Record<string, SearchEntity>>;
  readonly attributes: Attributes;
  /** What the results may be ordered by. */
  readonly orderedBy: readonly SearchEntity[];
}

const text = (key: string) => ({ key, type: 'text' }) as const;
const number = (key: string) => ({ key, type: 'number' }) as const;

const attributeNames = { attributes: 'attribute', attribute: 'attribute', attr: 'attribute' } as const;
const tagNames = { tags: 'tag', tag: 'tag' } as const;
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
    run: 'attribute',
    datasets: 'dataset',
    dataset: 'dataset',
  },
  attributes: {
    run_id: text('run_id'),
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
  orderedBy: ['metric', 'parameter', 'tag', 'attribute'],
};

export const experimentSearchRules: SearchRules = {
  entities: { ...tagNames, ...attributeNames },
  attributes: {
    name: text('name'),
    experiment_id: text('experiment_id'),
    creation_time: number('creation_time'),
    last_update_time: number('last_update_time'),
  },
  orderedBy: ['attribute'],
};

export const loggedModelSearchRules: SearchRules = {
  entities: { ...metricAndParameterNames, ...tagNames, ...attributeNames },
  attributes: {
    name: text('name'),
    model_id: text('model_id'),
    model_type: text('model_type'),
    status: text('status'),
    source_run_id: text('source_run_id'),
    creation_timestamp: number('creation_time'),
    creation_time: number('creation_time'),
    creation_timestamp_ms: number('creation_time'),
    last_updated_timestamp: number('last_update_time'),
    last_updated_timestamp_ms: number('last_update_time'),
  },
  orderedBy: ['metric', 'parameter', 'tag', 'attribute'],
};

const datasetKeys: ReadonlySet<string> = new Set(['name', 'digest', 'context']);
const numericOperators: readonly ComparisonOperator[] = ['>', '>=', '=', '!=', '<', '<='];
const textOperators: readonly ComparisonOperator[] = ['=', '!=', 'LIKE', 'ILIKE'];
const listOperators: readonly ComparisonOperator[] = ['IN', 'NOT IN'];
const nullOperators: readonly ComparisonOperator[] = ['IS NULL', 'IS NOT NULL'];

/** Parses and checks a filter. Throws `invalidParameter`. */
export function readFilter(filter: string, rules: SearchRules): readonly Comparison[] {
  return parseFilter(filter).map((clause) => readClause(clause, rules));
}

/** Parses and checks an order. Throws `invalidParameter`, for a repeated key too. */
export function readOrder(orderBy: readonly string[], rules: SearchRules): readonly Ordering[] {
  const seen = new Set<string>();
  return orderBy.map((entry) => {
    const ordering = parseOrdering(entry);
    const { entity, key } = resolve(ordering, rules);
    if (!rules.orderedBy.includes(entity)) throw invalid(`Invalid identifier type '${ordering.entity}'`);
    const name = `${entity}.${key}`;
    if (seen.has(name)) throw invalid(`\`order_by\` contains duplicate fields: ${name}`);
    seen.add(name);
    return { entity, key, ascending: ordering.ascending };
  });
}

/** The entity and the canonical key of an identifier; of an attribute its type too. */
function resolve(
  identifier: Identifier,
  rules: SearchRules,
): { readonly entity: SearchEntity; readonly key: string; readonly type?: AttributeType } {
  const { entity: name, key } = identifier;
  const entity = name === null ? 'attribute' : ownValue(rules.entities, name);
  if (entity === undefined) {
    throw invalid(`Invalid entity type '${name}'. Valid values are ${listed(Object.keys(rules.entities))}`);
  }
  if (entity === 'dataset' && !datasetKeys.has(key)) {
    throw invalid(`Invalid dataset key '${key}' specified. Valid keys are ${listed([...datasetKeys])}`);
  }
  if (entity !== 'attribute') return { entity, key };
  const attribute = ownValue(rules.attributes, key);
  if (attribute === undefined) {
    throw invalid(
      `Invalid attribute key '${key}' specified. Valid keys are ${listed(Object.keys(rules.attributes))}`,
    );
  }
  return { entity, ...attribute };
}

function readClause(clause: Clause, rules: SearchRules): Comparison {
  const { entity, key, type } = resolve(clause, rules);
  const { operator, value } = clause;
  const check = (allowed: readonly ComparisonOperator[]) => {
    if (!allowed.includes(operator)) {
      throw invalid(`Invalid comparator '${operator}' not one of ${listed(allowed)}`);
    }
  };
  if (entity === 'metric' || type === 'number') {
    const noun = entity === 'metric' ? 'metric' : `numeric attribute: ${key}`;
    if (typeof value !== 'number')
      throw invalid(`Expected numeric value type for ${noun}. Found ${shown(value)}`);
    check(numericOperators);
    return { entity, key, operator, value };
  }
  check([
    ...textOperators,
    ...(entity === 'attribute' || entity === 'dataset' ? listOperators : nullOperators),
  ]);
  if (nullOperators.includes(operator)) return { entity, key, operator, value: null };
  if (listOperators.includes(operator)) {
    return { entity, key, operator, value: readTexts(value, entity) };
  }
  if (typeof value !== 'string') {
    throw invalid(
      `Expected a quoted string value for ${entity} (e.g. 'my-value'). Got value ${shown(value)}`,
    );
  }
  return { entity, key, operator, value };
}

function readTexts(value: Clause['value'], entity: SearchEntity): readonly string[] {
  const items = Array.isArray(value) ? value : [];
  const texts = items.filter((item) => typeof item === 'string');
  if (texts.length === 0 || texts.length < items.length) {
    throw invalid(`Expected a list of quoted string values for ${entity}. Got value ${shown(value)}`);
  }
  return texts;
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
  if (typeof value === 'object' && value !== null) return `(${value.map(shown).join(', ')})`;
  return String(value);
}
