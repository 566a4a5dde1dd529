import { SlipwayError } from '../../protocol/errors.ts';
import { type Comparison, type Operator, parseFilter } from './filter.ts';
import { promptTag, type RegistrySearch, type SqlSearch } from './types.ts';

/** What one of the two searches can filter and order by. */
interface Searchable {
  readonly textColumns: Readonly<Record<string, string>>;
  readonly numberColumns: Readonly<Record<string, string>>;
  /** Attributes that take IN and NOT IN. */
  readonly listable: readonly string[];
  readonly orderColumns: Readonly<Record<string, string>>;
  readonly tagTable: string;
  readonly tagOwner: string;
  readonly defaultOrder: readonly string[];
  /** Makes the order total, so that pages neither repeat nor miss a row. */
  readonly tieBreaker: string;
  readonly largestPage: number;
}

const models: Searchable = {
  textColumns: { name: 'm.name' },
  numberColumns: {},
  listable: ['name'],
  orderColumns: {
    name: 'm.name',
    timestamp: 'm.last_update_time',
    last_updated_timestamp: 'm.last_update_time',
    creation_timestamp: 'm.creation_time',
  },
  tagTable: 'registered_model_tags',
  tagOwner: 'model_id = m.id',
  defaultOrder: [],
  tieBreaker: 'm.name',
  largestPage: 1000,
};

const versions: Searchable = {
  textColumns: { name: 'm.name', run_id: 'v.run_uuid', source_path: 'v.source' },
  numberColumns: { version_number: 'v.version' },
  listable: ['name', 'run_id'],
  orderColumns: {
    name: 'm.name',
    version_number: 'v.version',
    creation_timestamp: 'v.creation_time',
    last_updated_timestamp: 'v.last_update_time',
  },
  tagTable: 'model_version_tags',
  tagOwner: 'version_id = v.id',
  defaultOrder: ['last_updated_timestamp DESC'],
  tieBreaker: 'm.name, v.version DESC',
  largestPage: 200_000,
};

/** The SQL of a search over registered models. One row more than a page is asked for, to learn whether it is the last. */
export function modelSearchSql(search: RegistrySearch): SqlSearch {
  return searchSql(search, models);
}

/** The SQL of a search over model versions; as `modelSearchSql`. */
export function versionSearchSql(search: RegistrySearch): SqlSearch {
  return searchSql(search, versions);
}

/** Cuts the row too many off a page, and makes the token of the next page from it. */
export function pageOf<Item>(
  rows: readonly Item[],
  sql: SqlSearch,
): { items: readonly Item[]; nextPageToken: string | null } {
  const size = sql.limit - 1;
  const hasMore = rows.length > size;
  return {
    items: hasMore ? rows.slice(0, size) : rows,
    nextPageToken: hasMore
      ? Buffer.from(JSON.stringify({ offset: sql.offset + size })).toString('base64')
      : null,
  };
}

function searchSql(search: RegistrySearch, searchable: Searchable): SqlSearch {
  if (search.maxResults < 1 || search.maxResults > searchable.largestPage) {
    throw invalid(
      `Invalid value for request parameter max_results. It must be a positive integer, at most ${searchable.largestPage}, ` +
        `but got value ${search.maxResults}`,
    );
  }
  const comparisons = parseFilter(search.filter);
  const wantsPrompts = comparisons.some(asksForPrompts);
  const conditions = comparisons
    .filter(({ entity, key }) => entity !== 'tag' || key !== promptTag)
    .map((comparison) => conditionOf(comparison, searchable));
  const isPrompt = `EXISTS (SELECT 1 FROM ${searchable.tagTable} WHERE ${searchable.tagOwner} AND key = '${promptTag}' AND value = 'true')`;
  return {
    where: [wantsPrompts ? isPrompt : `NOT ${isPrompt}`, ...conditions.map(({ sql }) => sql)].join(' AND '),
    parameters: conditions.flatMap(({ parameters }) => parameters),
    orderBy: orderSql(search.orderBy, searchable),
    limit: search.maxResults + 1,
    offset: readPageToken(search.pageToken),
  };
}

/** A model without the tag is no prompt, so only these two forms ask for prompts. */
function asksForPrompts({ entity, key, operator, value }: Comparison): boolean {
  if (entity !== 'tag' || key !== promptTag || typeof value !== 'string') return false;
  return value.toLowerCase() === (operator === '=' ? 'true' : operator === '!=' ? 'false' : null);
}

interface Condition {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
}

function conditionOf(comparison: Comparison, searchable: Searchable): Condition {
  const { entity, key, operator, value } = comparison;
  if (entity === 'tag') {
    if (typeof value !== 'string')
      throw invalid(`Expected a quoted string value for tag '${key}'. Got value ${value}`);
    if (!['=', '!=', 'LIKE', 'ILIKE'].includes(operator))
      throw invalid(`Invalid comparator for tag: ${operator}`);
    const { sql, parameters } = textCondition('value', operator, value);
    return {
      sql: `EXISTS (SELECT 1 FROM ${searchable.tagTable} WHERE ${searchable.tagOwner} AND key = ? AND ${sql})`,
      parameters: [key, ...parameters],
    };
  }
  const numberColumn = columnOf(searchable.numberColumns, key);
  if (numberColumn !== null) return numberCondition(numberColumn, comparison);
  const column = columnOf(searchable.textColumns, key);
  if (column === null) {
    const valid = [...Object.keys(searchable.textColumns), ...Object.keys(searchable.numberColumns)];
    throw invalid(`Invalid attribute key '${key}' specified. Valid keys are '${valid.join(', ')}'`);
  }
  if (typeof value === 'object') {
    if (!searchable.listable.includes(key)) throw invalid(`Invalid comparator for attribute: ${operator}`);
    return { sql: `${column} ${operator} (${value.map(() => '?').join(', ')})`, parameters: value };
  }
  if (typeof value !== 'string') {
    throw invalid(
      `Expected a quoted string value or a list of quoted string values for attributes. Got value ${value}`,
    );
  }
  if (!['=', '!=', 'LIKE', 'ILIKE'].includes(operator))
    throw invalid(`Invalid comparator for attribute: ${operator}`);
  return textCondition(column, operator, value);
}

function textCondition(column: string, operator: Operator, value: string): Condition {
  if (operator === 'ILIKE') return { sql: `lower(${column}) LIKE lower(?)`, parameters: [value] };
  return { sql: `${column} ${operator} ?`, parameters: [value] };
}

function numberCondition(column: string, { key, operator, value }: Comparison): Condition {
  if (!['=', '!=', '<', '<=', '>', '>='].includes(operator)) {
    throw invalid(`Invalid comparator for attribute ${key}: ${operator}`);
  }
  const number = Number(value);
  if (typeof value === 'object' || !Number.isInteger(number)) {
    throw invalid(`Invalid value for numeric attribute '${key}': ${value}`);
  }
  return { sql: `${column} ${operator} ?`, parameters: [number] };
}

function orderSql(orderBy: readonly string[], searchable: Searchable): string {
  const seen = new Set<string>();
  const terms = (orderBy.length > 0 ? orderBy : searchable.defaultOrder).map((clause) => {
    const [, key = '', direction = 'ASC'] =
      /^\s*(?:attributes?\.)?[`"]?(\w+)[`"]?(?:\s+(ASC|DESC))?\s*$/i.exec(clause) ?? [];
    const column = columnOf(searchable.orderColumns, key);
    if (column === null) {
      throw invalid(
        `Invalid order by key '${key === '' ? clause : key}' specified. Valid keys are '${Object.keys(searchable.orderColumns).join(', ')}'`,
      );
    }
    if (seen.has(column)) throw invalid(`\`order_by\` contains duplicate fields: ${orderBy.join(', ')}`);
    seen.add(column);
    return `${column} ${direction}`;
  });
  return [...terms, searchable.tieBreaker].join(', ');
}

/** Only what the table itself names: never something that it inherits. */
function columnOf(columns: Readonly<Record<string, string>>, key: string): string | null {
  return Object.hasOwn(columns, key) ? (columns[key] ?? null) : null;
}

function readPageToken(token: string | null): number {
  if (token === null || token === '') return 0;
  const [, offset] = /^\{"offset":\s*(\d{1,15})\}$/.exec(Buffer.from(token, 'base64').toString('utf8')) ?? [];
  if (offset === undefined) throw invalid('Invalid page token, could not base64-decode');
  return Number(offset);
}

function invalid(detail: string): SlipwayError {
  return new SlipwayError('invalidParameter', { detail });
}
