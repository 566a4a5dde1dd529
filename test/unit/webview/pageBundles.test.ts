import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import esbuild from 'esbuild';
import { repository } from '../../toolchain/cacheFolder.ts';

describe('what a page loads', () => {
  it('has no checks of messages in it, which the processes make that a page speaks to', async () => {
    const pages = globSync('src/webview/*/*Page.tsx', { cwd: repository });
    assert.ok(pages.length >= 2);
    const { metafile } = await esbuild.build({
      entryPoints: pages,
      absWorkingDir: repository,
      outdir: join(repository, 'out', 'pages'),
      bundle: true,
      write: false,
      metafile: true,
      format: 'iife',
      jsx: 'automatic',
      jsxImportSource: 'preact',
    });
    const loaded = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
    assert.ok(loaded.some((file) => file.includes('node_modules/preact/')));
    assert.deepEqual(
      loaded.filter((file) => file.includes('node_modules/zod/')),
      [],
    );
  });
});
