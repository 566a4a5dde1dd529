import type { Changes } from '../changes.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { RegistrySearchStore } from './searchStore.ts';
import type { RegistryStore } from './store.ts';

/** What the registry asks of tracking. */
export type RegistryTracking = Pick<
  TrackingService,
  'run' | 'runSummary' | 'loggedModel' | 'loggedModelData' | 'loggedModelsOfRun' | 'setLoggedModelTag'
>;

/**
 * Hears of what leaves its name or ceases to be, once that is in the store. It must not throw: the client is answered
 * all the same.
 */
export interface RegistryListener {
  renamed(name: string, newName: string): void;
  /** `version` null stands for the model with all its versions. */
  deleted(name: string, version: number | null): void;
}

/** What the parts of the registry are made from. */
export interface RegistryParts {
  readonly store: RegistryStore;
  readonly searches: RegistrySearchStore;
  readonly tracking: RegistryTracking;
  readonly artifacts: ArtifactStore;
  readonly changes: Changes;
  /** Does work in one durable transaction, and says that the model changed. */
  write<Result>(model: string, work: (now: number) => Result): Result;
  readonly listener?: RegistryListener;
}
