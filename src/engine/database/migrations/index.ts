import { foundation } from './0001-foundation.ts';
import { traces } from './0002-traces.ts';
import { metricPoints } from './0003-metricPoints.ts';
import { searches } from './0004-searches.ts';
import { provenance } from './0005-provenance.ts';
import { imports } from './0006-imports.ts';
import { removal } from './0007-removal.ts';
import { foreignSourceRuns } from './0008-foreignSourceRuns.ts';
import { traceLinks } from './0009-traceLinks.ts';
import { dataFolders } from './0010-dataFolders.ts';
import { traceSearches } from './0011-traceSearches.ts';
import { rollouts } from './0012-rollouts.ts';
import { sayings } from './0013-sayings.ts';

/** A numbered, forward-only change of the schema. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

/** All migrations in order. A released one is never edited. */
export const migrations: readonly Migration[] = [
  foundation,
  traces,
  metricPoints,
  searches,
  provenance,
  imports,
  removal,
  foreignSourceRuns,
  traceLinks,
  dataFolders,
  traceSearches,
  rollouts,
  sayings,
];
