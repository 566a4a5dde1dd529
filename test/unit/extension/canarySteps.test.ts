import assert from 'node:assert/strict';
import { parseSteps, sharesText, usualSteps } from '../../../src/extension/serving/canarySteps.ts';
import { rolloutPlan } from '../../../src/protocol/endpointSettings.ts';

describe('the steps of a canary', () => {
  it('are those of the plan when nothing is changed', () => {
    const steps = parseSteps(usualSteps);
    assert.ok(steps);
    assert.deepEqual(rolloutPlan.parse({ steps }).steps, rolloutPlan.parse({}).steps);
  });

  it('hold for a minute when nothing is said, or until the person confirms', () => {
    assert.deepEqual(parseSteps('1, 12.5% 10m,50 % confirm'), [
      { share: 1, hold: '1m' },
      { share: 12.5, hold: '10m' },
      { share: 50, hold: 'confirm' },
    ]);
    assert.equal(sharesText(parseSteps('1, 12.5% 10m') ?? []), '1%, 12.5%');
  });

  for (const text of ['', '5%, 5%', '50%, 25%', '0%', '101%', '5% soon', '5% 1m 2m', '5%,', 'all', '-5%']) {
    it(`are not "${text}"`, () => assert.equal(parseSteps(text), null));
  }
});
