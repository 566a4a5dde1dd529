/** What may be asked of the two searches of the registry, as MLflow has it. */
import { SlipwayError } from '../../protocol/errors.ts';
import { readPageToken } from '../tracking/paging.ts';
import {
  attributeNames,
  readFilter,
  readOrder,
  type SearchRules,
  same,
  tagNames,
  text,
  whole,
} from '../tracking/searchRules.ts';
import type { Comparison } from '../tracking/types.ts';
import { promptTag, type RegistryQuery, type RegistrySearch } from './types.ts';

interface Searchable {
  readonly rules: SearchRules;
  readonly defaultOrder: readonly string[];
  /** Makes the order total, so that pages neither repeat nor miss a row. */
  readonly tieBreakers: readonly string[];
  readonly largestPage: number;
}

const shared = {
  entities: { ...tagNames, ...attributeNames },
  sortedEntities: ['attribute'],
  listEntities: [],
} as const;

const models: Searchable = {
  rules: {
    ...shared,
    attributes: { name: text('name', true) },
    sortedBy: { ...same('name'), timestamp: 'last_update_time', last_updated_timestamp: 'last_update_time' },
    keyNoun: 'order by key',
  },
  defaultOrder: [],
  tieBreakers: ['name'],
  largestPage: 1000,
};

const versions: Searchable = {
  rules: {
    ...shared,
    attributes: {
      name: text('name', true),
      run_id: text('run_id', true),
      source_path: text('source_path'),
      version_number: whole('version_number'),
    },
    sortedBy: {
      ...same('name', 'version_number'),
      creation_timestamp: 'creation_time',
      last_updated_timestamp: 'last_update_time',
    },
    keyNoun: 'attribute key',
  },
  defaultOrder: ['last_updated_timestamp DESC'],
  tieBreakers: ['name', 'version_number DESC'],
  largestPage: 200_000,
};

/** A search over registered models. Throws `invalidParameter`. */
export function readModelSearch(search: RegistrySearch): RegistryQuery {
  return readSearch(search, models);
}

/** A search over model versions. Throws `invalidParameter`. */
export function readVersionSearch(search: RegistrySearch): RegistryQuery {
  return readSearch(search, versions);
}

/** What the page tokens of a search belong to. */
export function subjectOf({ filter, orderBy }: RegistrySearch): readonly unknown[] {
  return [filter, orderBy];
}

function readSearch(search: RegistrySearch, searchable: Searchable): RegistryQuery {
  const { maxResults, orderBy, pageToken } = search;
  const { rules, defaultOrder, tieBreakers, largestPage } = searchable;
  if (maxResults < 1 || maxResults > largestPage) {
    throw new SlipwayError('invalidParameter', {
      detail:
        `Invalid value for request parameter max_results. It must be a positive integer, at most ${largestPage}, ` +
        `but got value ${maxResults}`,
    });
  }
  const comparisons = readFilter(search.filter, rules);
  const prompts = asksForPrompts(comparisons);
  const order = readOrder(orderBy.length > 0 ? orderBy : defaultOrder, rules);
  const ties = readOrder(tieBreakers, rules).filter(({ key }) => order.every((asked) => asked.key !== key));
  return {
    prompts,
    comparisons: prompts ? comparisons : comparisons.filter((comparison) => !isOfPrompts(comparison)),
    order: [...order, ...ties],
    limit: maxResults,
    after: readPageToken(pageToken ?? '', subjectOf(search)),
  };
}

function isOfPrompts({ entity, key }: Comparison): boolean {
  return entity === 'tag' && key === promptTag;
}

/** A model without the tag is no prompt, so only these two forms ask for prompts; of several the first decides. */
function asksForPrompts(comparisons: readonly Comparison[]): boolean {
  const asked = comparisons.find(isOfPrompts);
  if (asked === undefined) return false;
  const value = String(asked.value).toLowerCase();
  return (asked.operator === '=' && value === 'true') || (asked.operator === '!=' && value === 'false');
}
