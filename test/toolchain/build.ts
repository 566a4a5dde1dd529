import { join } from 'node:path';
import { repository } from './cacheFolder.ts';
import { run } from './command.ts';

/** Builds `dist/` as it ships. */
export async function buildExtension(): Promise<void> {
  await run(process.execPath, [join(repository, 'esbuild.js'), '--production'], {
    cwd: repository,
    show: true,
  });
}
