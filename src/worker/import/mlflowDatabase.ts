import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ImportRecord } from '../../protocol/importing.ts';
import { readLoggedModels } from './mlflowLoggedModels.ts';
import { readRegistry } from './mlflowRegistry.ts';
import { readRuns } from './mlflowRuns.ts';
import { keyValues, type MlflowTables, openMlflowTables } from './mlflowTables.ts';
import { readTraces } from './mlflowTraces.ts';
import { nameInWorkspace } from './mlflowWorkspaces.ts';
import type { ImportReader } from './reader.ts';

/** Reads the SQLite file of an MLflow tracking server, of any schema since 1.0, while the server writes to it. */
export const mlflowDatabaseReader: ImportReader = {
  kind: 'mlflowdb',
  async detects(path) {
    const file = [path, join(path, 'mlflow.db')].find(isSqlite);
    if (file === undefined) return null;
    const tables = openMlflowTables(file);
    try {
      if (!['experiments', 'runs', 'metrics'].every((table) => tables.has(table))) return null;
      return {
        kind: 'mlflowdb',
        path: file,
        experimentCount: tables.count('experiments'),
        runCount: tables.count('runs'),
        registeredModelCount: tables.count('registered_models'),
      };
    } finally {
      tables.close();
    }
  },
  async *read(file, options) {
    const tables = openMlflowTables(file);
    try {
      yield* readExperiments(tables);
      const rules = {
        source: dirname(file),
        servedFrom: ['mlartifacts', 'mlruns', '.'],
        remaps: options.remaps,
      };
      yield* readRuns(tables, rules, options);
      yield* readLoggedModels(tables, rules, options);
      yield* readTraces(tables, rules, options);
      yield* readRegistry(tables, options.known);
    } finally {
      tables.close();
    }
  },
  // SQLite writes to the file itself or to others beside it.
  watched: async (file) => [dirname(file)],
  // The spans of a trace may become a file after the trace has become a row.
  settledAfter: 3000,
};

function* readExperiments(tables: MlflowTables): Iterable<ImportRecord> {
  const columns = [
    'experiment_id',
    'name',
    'lifecycle_stage',
    'creation_time',
    'last_update_time',
    'workspace',
  ];
  for (const rows of tables.pages('experiments', columns)) {
    for (const row of rows) {
      const tags = tables.rows(
        'experiment_tags',
        ['key', 'value'],
        ['experiment_id = ?', row.experiment_id ?? null],
      );
      yield {
        type: 'experiment',
        experimentId: String(row.experiment_id),
        name: nameInWorkspace(row, '/'),
        lifecycleStage: row.lifecycle_stage === 'deleted' ? 'deleted' : 'active',
        creationTime: row.creation_time === null ? null : Number(row.creation_time),
        lastUpdateTime: row.last_update_time === null ? null : Number(row.last_update_time),
        tags: keyValues(tags),
      };
    }
  }
}

function isSqlite(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const header = Buffer.alloc(16);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, header, 0, header.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return header.toString('latin1') === 'SQLite format 3\0';
}
