import assert from 'node:assert/strict';
import type { CheckOutcome } from '../../../src/protocol/serving.ts';
import { eventLabel, eventTone, verdictName } from '../../../src/webview/serving/servingWording.ts';

describe('wording of serving', () => {
  it('has words for what happens to endpoints, not the names of kinds', () => {
    const kinds = [
      'crashed',
      'declared',
      'versionChanged',
      'settingsChanged',
      'registryRefused',
      'checkFailed',
    ];
    const labels = kinds.map((kind) => eventLabel({ kind, said: [] }));
    assert.deepEqual(labels, [
      'crashed',
      'declared',
      'other version',
      'other settings',
      'registry refused',
      'check failed',
    ]);
    assert.deepEqual(['crashed', 'declared', 'promoted'].map(eventTone), ['bad', 'plain', 'good']);
  });

  it('does not call samples too few where one version has enough and the other needs none', () => {
    const check: CheckOutcome = {
      metric: 'latencyP99',
      verdict: 'inconclusive',
      candidateValue: 12,
      stableValue: null,
      candidateSamples: 500,
      stableSamples: 3,
      minimumSamples: 100,
      pValue: 0.4,
      failures: 0,
      dryRun: false,
      said: [],
    };
    assert.equal(verdictName(check), 'Not decided yet');
    assert.equal(verdictName({ ...check, candidateValue: null, pValue: null }), 'Too few samples yet');
  });
});
