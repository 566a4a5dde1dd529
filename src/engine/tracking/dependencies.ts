import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import type { ArtifactStore } from './artifacts.ts';
import type { TrackingStore } from './store.ts';

/** What every part of the tracking service works with. */
export interface TrackingDependencies {
  readonly store: TrackingStore;
  readonly artifacts: ArtifactStore;
  readonly changes: Changes;
  readonly transaction: Database['transaction'];
  /** Absolute; an artifact location that a client gives as a relative path counts from there. */
  readonly clientFolder: string;
}
