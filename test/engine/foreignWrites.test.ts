import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { EngineEvent } from '../../src/protocol/engine.ts';
import { inMaintainedStore } from './maintainedStore.ts';

describe('Writes of another process', function () {
  this.timeout(60_000);

  it(
    'are told as a change of anything, and own writes are not',
    inMaintainedStore(async ({ engine, layout, run }) => {
      const told: { readonly event: EngineEvent; readonly names: number }[] = [];
      let hear: (() => void) | undefined;
      engine.changes.listen((event, data) => {
        const names = Object.values(data).flat().length;
        told.push({ event, names });
        if (event === 'registry/changed') hear?.();
      });
      run('0', 'own');
      // Longer than changes are gathered, twice.
      await pause(500);
      assert.deepEqual(
        told.map(({ event }) => event),
        ['tracking/changed'],
      );
      assert.ok(told.every(({ names }) => names > 0));

      told.length = 0;
      const heard = new Promise<void>((resolve) => {
        hear = resolve;
      });
      const writer = fork(join(import.meta.dirname, '../fixtures/experimentWriter.ts'), [
        layout.database,
        'other',
        '1',
      ]);
      await once(writer, 'exit');
      await heard;
      assert.deepEqual(told.slice(0, 3), [
        { event: 'tracking/changed', names: 0 },
        { event: 'registry/changed', names: 0 },
        { event: 'serving/changed', names: 0 },
      ]);
    }),
  );
});
