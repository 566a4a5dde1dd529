import type { KeyValue } from '../../../protocol/tracking.ts';

/** Where runs are read. */
export interface RunPlace {
  /** The folder, out of which nothing is read. */
  readonly root: string;
  /** The experiment of the store that they go into. */
  readonly experimentId: string;
  /** The commit whose files lie in the folder; null: it is the workspace, in which something may train. */
  readonly commit: string | null;
  /** As in `ReadOptions`. */
  readonly known: ReadonlyMap<string, string>;
}

/** Who a run is. */
export interface RunIdentity {
  readonly runId: string;
  /** Null: it is called after where it lies. */
  readonly name: string | null;
  readonly tags: readonly KeyValue[];
}
