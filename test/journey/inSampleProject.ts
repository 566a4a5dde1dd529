import { sampleWorkspace } from '../workbench/sampleWorkspace.ts';
import { openWorkbench, type Workbench, type WorkbenchOptions } from '../workbench/workbench.ts';

/** How the sample project is opened. */
export interface SampleProjectOptions
  extends Pick<WorkbenchOptions, 'theme' | 'trusted' | 'settings' | 'startServer'> {
  /** False leaves the recorded runs out. Default true. */
  readonly recorded?: boolean;
}

/** Opens a copy of the sample project with Slipway's side bar, and removes both when `work` is done. Gives its result. */
export async function inSampleProject<Result>(
  { recorded = true, ...options }: SampleProjectOptions,
  work: (workbench: Workbench, folder: string) => Promise<Result>,
): Promise<Result> {
  const sample = await sampleWorkspace(recorded);
  try {
    const workbench = await openWorkbench({ workspace: sample.folder, ...options });
    try {
      await workbench.openContainer('Slipway');
      return await work(workbench, sample.folder);
    } finally {
      await workbench.dispose();
    }
  } finally {
    await sample.remove();
  }
}
