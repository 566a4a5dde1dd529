import assert from 'node:assert/strict';
import { createRestartBudget } from '../../../src/extension/engine/restartBudget.ts';

describe('the restart budget', () => {
  it('allows three restarts in five minutes, and more when they are over', () => {
    let now = 0;
    const budget = createRestartBudget(() => now);
    assert.deepEqual(
      [budget.spend(), budget.spend(), budget.spend(), budget.spend()],
      [true, true, true, false],
    );
    now = 299_999;
    assert.equal(budget.spend(), false);
    now = 300_000;
    assert.equal(budget.spend(), true);
  });

  it('is full again after the person restarted the engine', () => {
    const budget = createRestartBudget(() => 0);
    while (budget.spend());
    budget.reset();
    assert.equal(budget.spend(), true);
  });
});
