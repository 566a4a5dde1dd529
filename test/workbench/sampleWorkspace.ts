import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { repository } from '../toolchain/cacheFolder.ts';

/** A copy of the sample project that may be written to. */
export interface SampleWorkspace {
  readonly folder: string;
  remove(): Promise<void>;
}

/**
 * Copies the sample project, with its recorded runs in place, to a temporary folder.
 *
 * @param recorded false leaves the recorded runs out: a project that has never been run.
 */
export async function sampleWorkspace(recorded = true): Promise<SampleWorkspace> {
  const parent = await mkdtemp(join(tmpdir(), 'slipway-sample-'));
  const folder = join(parent, 'flights');
  const sample = join(repository, 'media', 'sample');
  if (existsSync(sample)) {
    await cp(sample, folder, { recursive: true, filter: (path) => basename(path) !== 'recorded' });
    const store = join(sample, 'recorded', '.slipway');
    if (recorded && existsSync(store)) await cp(store, join(folder, '.slipway'), { recursive: true });
  } else {
    await cp(join(repository, 'LICENSE'), join(folder, 'LICENSE'));
    await writeFile(join(folder, 'train.py'), '');
  }
  return { folder, remove: () => rm(parent, { recursive: true, force: true, maxRetries: 5 }) };
}
