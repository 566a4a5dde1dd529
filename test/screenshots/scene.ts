import type { Workbench } from '../workbench/workbench.ts';

/** Something a person sees, and how to get there. */
export interface Scene {
  /** The name of its picture. */
  readonly name: string;
  /** Brings the workbench from where the scene before left it to what the picture shows. */
  show(workbench: Workbench): Promise<void>;
}

/** Scenes that follow one another in one workbench, in which Slipway's side bar is open. */
export interface Story {
  /** Whether the sample project has its recorded runs. */
  readonly recorded: boolean;
  readonly trusted: boolean;
  readonly scenes: readonly Scene[];
}
