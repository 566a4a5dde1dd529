import { SlipwayError } from '../../protocol/errors.ts';
import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import type { StoreLayout } from '../layout.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { MaintenanceStore } from './store.ts';

export type { JobControl } from '../workerProcess.ts';

/** What the parts of maintenance are made from. */
export interface MaintenanceParts {
  readonly store: MaintenanceStore;
  readonly database: Database;
  readonly artifacts: ArtifactStore;
  readonly changes: Changes;
  readonly layout: StoreLayout;
}

/** @throws SlipwayError `cancelled` */
export function stopWhenCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new SlipwayError('cancelled');
}
