import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { repository } from '../toolchain/cacheFolder.ts';

/** The name by which VS Code calls this platform, such as `linux-x64`. */
export const platformTarget = `${process.platform}-${process.arch}`;

let packaged: Promise<string> | null = null;

/**
 * Makes the platform's VSIX in `out/`: builds `dist/` as it ships (vsce runs `vscode:prepublish`) and packs it with
 * this platform's native packages only. Done once for each process.
 *
 * @returns the absolute path of the VSIX.
 */
export function packageExtension(): Promise<string> {
  packaged ??= makeVsix();
  return packaged;
}

async function makeVsix(): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
  const file = join(repository, 'out', `${name}-${platformTarget}-${version}.vsix`);
  await mkdir(join(repository, 'out'), { recursive: true });
  await createVSIX({
    cwd: repository,
    target: platformTarget,
    packagePath: file,
    dependencies: false,
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
  });
  return file;
}
