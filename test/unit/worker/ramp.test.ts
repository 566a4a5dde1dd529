import assert from 'node:assert/strict';
import { loadTestPlan } from '../../../src/protocol/loadTest.ts';
import { highestRate, mostSteps, nextRate } from '../../../src/worker/loadTest/ramp.ts';

describe('the rates of a load test', () => {
  /** The rates that are tried of an endpoint that takes up to `capacity` requests a second. */
  function tried(capacity: number, plan = loadTestPlan.parse({ firstRate: 10, lastRate: 5000 })) {
    const steps: { rate: number; holds: boolean }[] = [];
    for (let rate = nextRate(plan, steps); rate !== null; rate = nextRate(plan, steps)) {
      steps.push({ rate, holds: rate <= capacity });
      assert.ok(steps.length <= mostSteps(plan), 'no more steps than foretold');
    }
    return { rates: steps.map(({ rate }) => rate), highest: highestRate(steps) };
  }

  it('double until one fails, then close in on the highest that holds', () => {
    assert.deepEqual(tried(300).rates, [10, 20, 40, 80, 160, 320, 230, 270, 290]);
    assert.equal(tried(300).highest, 290);
  });

  it('end at the fastest that the plan allows', () => {
    const plan = loadTestPlan.parse({ firstRate: 10, lastRate: 100 });
    assert.deepEqual(tried(1e9, plan), { rates: [10, 20, 40, 80, 100], highest: 100 });
  });

  it('end at once when not even the first one holds', () => {
    assert.deepEqual(tried(5), { rates: [10], highest: null });
  });

  it('find any capacity to within 15 %', () => {
    for (let capacity = 10; capacity < 5000; capacity *= 1.07) {
      const { highest } = tried(capacity);
      assert.ok(
        highest !== null && highest <= capacity && capacity / highest < 1.16,
        `${capacity}: ${highest}`,
      );
    }
  });

  it('count a rate that holds above one that fails as luck', () => {
    assert.equal(
      highestRate([
        { rate: 10, holds: true },
        { rate: 20, holds: false },
        { rate: 40, holds: true },
      ]),
      10,
    );
  });
});
