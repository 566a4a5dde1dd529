import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSourceWatch } from '../../../src/worker/import/sourceWatch.ts';

describe('Watching a source', () => {
  it('tells what changed, and nothing after a silence', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-watch-'));
    const watch = createSourceWatch(folder);
    try {
      watch.look([folder]);
      assert.deepEqual(await watch.changed(10), new Set());
      const changed = watch.changed();
      writeFileSync(join(folder, 'file'), 'x');
      assert.deepEqual(await changed, new Set([folder]));
    } finally {
      watch.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('goes on with what was replaced', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-watch-'));
    const inside = join(folder, 'inside');
    mkdirSync(inside);
    const watch = createSourceWatch(folder);
    try {
      assert.deepEqual(watch.look([inside]), new Set([inside]));
      const replaced = watch.changed();
      rmdirSync(inside);
      mkdirSync(inside);
      assert.deepEqual(await replaced, new Set([inside]));
      assert.deepEqual(watch.look([inside]), new Set([inside]));
      const changed = watch.changed();
      writeFileSync(join(inside, 'file'), 'x');
      assert.deepEqual(await changed, new Set([inside]));
      assert.deepEqual(watch.look([inside]), new Set());
    } finally {
      watch.close();
      rmSync(folder, { recursive: true });
    }
  });
});
