/** What may be asked of a search over traces, as MLflow has it. Keys are those of the store. */
import { type Clause, type Identifier, parseFilter, parseOrdering } from './filterGrammar.ts';
import { invalid } from './limits.ts';
import { longestPatternBytes, mostOrderings } from './searchRules.ts';
import type { TraceComparison, TraceOrdering, TraceSubject } from './traceTypes.ts';
import type { ComparisonOperator } from './types.ts';

export const traceNameTag = 'mlflow.traceName';
export const sourceRunMetadata = 'mlflow.sourceRun';

interface Attribute {
  readonly subject: TraceSubject;
  readonly key: string;
  readonly isNumber?: true;
  /** False: by this the traces can be searched, and not ordered. */
  readonly sorts?: false;
  /** False: by this the traces can be ordered, and not searched. */
  readonly filters?: false;
}

const number = (key: string) => ({ subject: 'attribute', key, isNumber: true }) as const;
const attributes: Readonly<Record<string, Attribute>> = {
  request_id: { subject: 'attribute', key: 'trace_id' },
  timestamp: number('request_time'),
  timestamp_ms: number('request_time'),
  execution_time: number('execution_duration'),
  execution_time_ms: number('execution_duration'),
  end_time: number('end_time'),
  end_time_ms: number('end_time'),
  status: { subject: 'attribute', key: 'state' },
  client_request_id: { subject: 'attribute', key: 'client_request_id', sorts: false },
  experiment_id: { subject: 'attribute', key: 'experiment_id', filters: false },
  name: { subject: 'tag', key: traceNameTag },
  run_id: { subject: 'run', key: sourceRunMetadata },
  prompt: { subject: 'prompt', key: '', sorts: false },
  text: { subject: 'spanText', key: '', sorts: false },
};

const entities = {
  attribute: 'attribute',
  attributes: 'attribute',
  trace: 'attribute',
  tag: 'tag',
  tags: 'tag',
  metadata: 'metadata',
  request_metadata: 'metadata',
  span: 'span',
  feedback: 'feedback',
  expectation: 'expectation',
} as const;

const spanKeys: ReadonlySet<string> = new Set(['name', 'type', 'status']);
const spanAttributePrefix = 'attributes.';

const equality: readonly ComparisonOperator[] = ['=', '!='];
const patterns: readonly ComparisonOperator[] = ['LIKE', 'ILIKE'];
const ranges: readonly ComparisonOperator[] = ['>', '>=', '<', '<='];
const lists: readonly ComparisonOperator[] = ['IN', 'NOT IN'];
const nulls: readonly ComparisonOperator[] = ['IS NULL', 'IS NOT NULL'];

const operators: Readonly<Record<TraceSubject, readonly ComparisonOperator[]>> = {
  attribute: [...equality, ...patterns, ...lists],
  tag: [...equality, ...patterns, ...nulls],
  metadata: [...equality, ...patterns, ...nulls],
  run: [...equality, ...patterns, ...lists, ...nulls],
  prompt: ['='],
  span: [...equality, ...patterns, ...lists],
  spanAttribute: [...equality, ...patterns, ...lists],
  spanText: patterns,
  feedback: [...equality, ...ranges, ...patterns, ...nulls],
  expectation: [...equality, ...ranges, ...patterns, ...nulls],
};

/** Parses and checks a filter. Throws `invalidParameter`. */
export function readTraceFilter(filter: string): readonly TraceComparison[] {
  return parseFilter(filter).map(readClause);
}

/** Parses and checks an order. Throws `invalidParameter`, for a repeated key or too many of them as well. */
export function readTraceOrder(orderBy: readonly string[]): readonly TraceOrdering[] {
  if (orderBy.length > mostOrderings) throw invalid(`\`order_by\` has more than ${mostOrderings} fields`);
  const seen = new Set<string>();
  return orderBy.map((entry) => {
    const ordering = parseOrdering(entry);
    const resolved = resolve(ordering, 'sorts');
    const subject = resolved.subject === 'run' ? 'metadata' : resolved.subject;
    if (subject !== 'attribute' && subject !== 'tag' && subject !== 'metadata') {
      throw invalid(`Invalid identifier type '${ordering.entity ?? subject}'`);
    }
    const name = `${subject}.${resolved.key}`;
    if (seen.has(name)) {
      throw invalid(
        `\`order_by\` contains duplicate fields: [${orderBy.map((one) => `'${one}'`).join(', ')}]`,
      );
    }
    seen.add(name);
    return { subject, key: resolved.key, ascending: ordering.ascending };
  });
}

function resolve({ entity, key }: Identifier, use: 'sorts' | 'filters'): Attribute {
  const kind = entity === null ? 'attribute' : entityOf(entity);
  if (kind === 'attribute') {
    const attribute = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
    if (attribute && attribute[use] !== false) return attribute;
    const valid = Object.keys(attributes).filter((name) => attributes[name]?.[use] !== false);
    throw invalid(`Invalid attribute key '${key}' specified. Valid keys are ${listed(valid)}`);
  }
  if (kind !== 'span' || use === 'sorts') return { subject: kind, key };
  if (spanKeys.has(key)) return { subject: 'span', key };
  if (key === 'content') return { subject: 'spanText', key: '' };
  const attribute = key.startsWith(spanAttributePrefix) ? key.slice(spanAttributePrefix.length) : '';
  if (attribute !== '') return { subject: 'spanAttribute', key: attribute };
  throw invalid(
    `Invalid span attribute '${key}'. Supported attributes: name, status, type, attributes.<attribute_name>.`,
  );
}

function entityOf(name: string): (typeof entities)[keyof typeof entities] {
  for (const [known, kind] of Object.entries(entities)) {
    if (known === name) return kind;
  }
  throw invalid(`Invalid entity type '${name}'. Valid values are ${listed(Object.keys(entities))}`);
}

function readClause(clause: Clause): TraceComparison {
  const { subject, key, isNumber } = resolve(clause, 'filters');
  const { operator, value } = clause;
  const allowed = isNumber ? [...equality, ...ranges] : operators[subject];
  if (isNumber || ((subject === 'feedback' || subject === 'expectation') && ranges.includes(operator))) {
    if (typeof value !== 'number') {
      throw invalid(`Expected a numeric value for ${clause.key}. Got value ${shown(value)}`);
    }
  }
  if (!allowed.includes(operator)) {
    throw invalid(`Invalid comparator '${operator}' not one of ${listed(allowed)}`);
  }
  if (typeof value === 'number') {
    if (isNumber || ranges.includes(operator)) return { subject, key, operator, value };
    throw invalid(`Expected a quoted string value for ${clause.key} (e.g. 'my-value'). Got value ${value}`);
  }
  if (subject === 'prompt' && (typeof value !== 'string' || value.split('/').length !== 2)) {
    throw invalid(`Invalid prompts filter value ${shown(value)}. Expected format: prompt = "name/version"`);
  }
  if (patterns.includes(operator) && typeof value === 'string' && isTooLong(value)) {
    throw invalid(`The pattern for ${clause.key} is longer than ${longestPatternBytes} bytes`);
  }
  if (value === null) return { subject, key, operator, value };
  if (typeof value === 'string' && !lists.includes(operator)) return { subject, key, operator, value };
  const texts = typeof value === 'string' ? [] : value.filter((item) => typeof item === 'string');
  if (!lists.includes(operator) || texts.length === 0 || texts.length < value.length) {
    throw invalid(`Expected quoted string values for ${clause.key}. Got value ${shown(value)}`);
  }
  return { subject, key, operator, value: texts };
}

function isTooLong(pattern: string): boolean {
  return Buffer.byteLength(pattern) > longestPatternBytes;
}

function listed(names: readonly string[]): string {
  return `{${names.map((name) => `'${name}'`).join(', ')}}`;
}

function shown(value: Clause['value']): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'object' && value !== null) return `(${value.map(shown).join(', ')})`;
  return String(value);
}
