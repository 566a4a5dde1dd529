import type { Database } from '../database/connection.ts';
import { comparisonSql, createSelection, type Selection } from '../database/selection.ts';
import type { Comparison, QueryResult } from '../tracking/types.ts';
import {
  type ModelRow,
  modelColumns,
  type StoredModel,
  type StoredVersion,
  type VersionRow,
  versionColumns,
  versionTables,
  withLists,
} from './store.ts';
import { promptTag, type RegistryQuery } from './types.ts';

export interface RegistrySearchStore {
  searchModels(query: RegistryQuery): QueryResult<StoredModel>;
  /** Versions that are not deleted. */
  searchVersions(query: RegistryQuery): QueryResult<StoredVersion>;
}

/** Columns of what registered models and versions are searched and ordered by. */
const modelAttributes: Readonly<Record<string, string>> = {
  name: 'm.name',
  last_update_time: 'm.last_update_time',
};
const versionAttributes: Readonly<Record<string, string>> = {
  name: 'm.name',
  version_number: 'v.version',
  run_id: 'v.run_uuid',
  source_path: 'v.source',
  creation_time: 'v.creation_time',
  last_update_time: 'v.last_update_time',
};

/** Turns the searches of the registry into SQL. */
export function createRegistrySearchStore(database: Database): RegistrySearchStore {
  return {
    searchModels(query) {
      const selection = createSelection(modelColumns, 'registered_models m');
      const tags = 'SELECT 1 FROM registered_model_tags t WHERE t.model_id = m.id AND t.key = ?';
      if (!query.prompts) selection.where(`NOT EXISTS (${tags} AND t.value = 'true')`, promptTag);
      apply(selection, query, modelAttributes, tags);
      const { rows, last } = selection.page<ModelRow>(database, query.limit, query.after);
      return { items: rows.map(withLists), last };
    },
    searchVersions(query) {
      const selection = createSelection(versionColumns, versionTables);
      selection.where('v.deleted = 0');
      if (!query.prompts) {
        // One version that is marked makes a prompt of all that have its name.
        selection.where(
          `NOT EXISTS (SELECT 1 FROM model_versions w JOIN model_version_tags t ON t.version_id = w.id
             WHERE w.model_id = v.model_id AND t.key = ? AND t.value = 'true')`,
          promptTag,
        );
      }
      const tags = 'SELECT 1 FROM model_version_tags t WHERE t.version_id = v.id AND t.key = ?';
      apply(selection, query, versionAttributes, tags);
      const { rows, last } = selection.page<VersionRow>(database, query.limit, query.after);
      return { items: rows.map(withLists), last };
    },
  };
}

/** @param tags selects the tag of an item that has a key. */
function apply(
  selection: Selection,
  { comparisons, order }: RegistryQuery,
  columns: Readonly<Record<string, string>>,
  tags: string,
): void {
  for (const comparison of comparisons) compare(selection, comparison, columns, tags);
  for (const { key, ascending } of order) selection.sortBy(columns[key] ?? '', ascending);
}

function compare(
  selection: Selection,
  { entity, key, operator, value }: Comparison,
  columns: Readonly<Record<string, string>>,
  tags: string,
): void {
  if (entity === 'attribute') {
    selection.where(...comparisonSql(columns[key] ?? '', operator, value));
  } else if (operator === 'IS NULL') {
    selection.where(`NOT EXISTS (${tags})`, key);
  } else {
    const [condition, ...parameters] = comparisonSql('t.value', operator, value);
    selection.where(`EXISTS (${tags} AND ${condition})`, key, ...parameters);
  }
}
