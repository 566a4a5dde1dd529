import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { RegistryStore } from './store.ts';

/** What the registry asks of tracking. */
export type RegistryTracking = Pick<
  TrackingService,
  'run' | 'runSummary' | 'loggedModel' | 'loggedModelData' | 'loggedModelsOfRun' | 'setLoggedModelTag'
>;

/** What the parts of the registry are made from. */
export interface RegistryParts {
  readonly database: Database;
  readonly store: RegistryStore;
  readonly tracking: RegistryTracking;
  readonly artifacts: ArtifactStore;
  readonly changes: Changes;
}
