import { globSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import esbuild from 'esbuild';
import { repository } from '../toolchain/cacheFolder.ts';

/**
 * Bundles `suites/*.test.ts` and the module that runs them for the extension host, which runs no TypeScript.
 *
 * @returns the absolute path of the module whose `run()` VS Code calls; null when there is no suite.
 */
export async function bundleSuites(): Promise<string | null> {
  const suites = globSync('suites/*.test.ts', { cwd: import.meta.dirname });
  if (suites.length === 0) return null;
  const outdir = join(repository, 'out', 'suites');
  await rm(outdir, { recursive: true, force: true });
  await esbuild.build({
    entryPoints: {
      extensionHost: join(import.meta.dirname, 'extensionHost.ts'),
      ...Object.fromEntries(suites.map((file) => [basename(file, '.ts'), join(import.meta.dirname, file)])),
    },
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    sourcemap: 'inline',
    external: ['vscode', 'mocha', 'playwright-core', 'esbuild', '@vscode/vsce', '@sparticuz/chromium'],
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    logLevel: 'warning',
  });
  return join(outdir, 'extensionHost.cjs');
}
