import assert from 'node:assert/strict';
import { parseSteps, stepsText, usualSteps } from '../../../src/extension/serving/canarySteps.ts';
import { createFormats } from '../../../src/extension/views/formats.ts';
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
  });

  it('are told with how long each holds', () => {
    const l10n = {
      t: (message: string, ...values: (string | number)[]) =>
        message.replaceAll(/\{(\d)\}/g, (_, index) => String(values[Number(index)])),
    };
    const told = (text: string) => {
      const steps = parseSteps(text);
      assert.ok(steps);
      return stepsText(steps, { l10n, formats: createFormats(l10n, 'en') });
    };
    assert.equal(told('1, 12.5% 10m, 50% confirm'), '1% for 1 min, 12.5% for 10 min, 50% until you confirm');
    assert.equal(told('5% 30s, 10% 90s, 20% 2h'), '5% for 30 s, 10% for 1 min 30 s, 20% for 2 h');
    assert.equal(told('5% 90m'), '5% for 1 h 30 min');
  });

  for (const text of ['', '5%, 5%', '50%, 25%', '0%', '101%', '5% soon', '5% 1m 2m', '5%,', 'all', '-5%']) {
    it(`are not "${text}"`, () => assert.equal(parseSteps(text), null));
  }
});
