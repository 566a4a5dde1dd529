import assert from 'node:assert/strict';
import { createDisposables } from '../../../src/extension/views/disposables.ts';

describe('disposables', () => {
  it('end in the reverse order of their coming, once', () => {
    const ended: number[] = [];
    const list = createDisposables();
    for (const number of [1, 2, 3]) list.add({ dispose: () => ended.push(number) });
    list.dispose();
    list.dispose();
    assert.deepEqual(ended, [3, 2, 1]);
  });

  it('end at once when they come after the end', () => {
    let ended = false;
    const list = createDisposables();
    list.dispose();
    list.add({
      dispose: () => {
        ended = true;
      },
    });
    assert.ok(ended);
  });
});
