import type { Workbench } from '../workbench/workbench.ts';

/** Something a person sees, and how to get there. */
export interface Scene {
  /** The name of its picture. */
  readonly name: string;
  /** Brings the workbench from where the scene before left it to what the picture shows. */
  show(workbench: Workbench): Promise<void>;
}

/** Scenes that follow one another in one workbench. */
export interface Story {
  readonly name: string;
  /** `sample` is the sample project with its recorded runs, `empty` the same without them. */
  readonly workspace: 'sample' | 'empty';
  readonly trusted: boolean;
  readonly scenes: readonly Scene[];
}
