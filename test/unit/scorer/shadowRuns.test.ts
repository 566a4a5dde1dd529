import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Tensor } from '../../../src/inference/datatypes.ts';
import type { TrafficSplit } from '../../../src/protocol/scorer.ts';
import type { LoadedModels } from '../../../src/scorer/loadedModels.ts';
import type { LoadedVersion } from '../../../src/scorer/modelRepository.ts';
import type { Outcome } from '../../../src/scorer/server.ts';
import { createShadowRuns } from '../../../src/scorer/shadowRuns.ts';

const tensor = (value: number): Tensor => ({ datatype: 'FP32', shape: [1], data: Float32Array.of(value) });

describe('shadow runs', () => {
  it('are all heard of before they are settled', async () => {
    const shadow = versionOf(2, async () => {
      await delay(30);
      return [tensor(3)];
    });
    const stable = versionOf(1, async () => [tensor(1)]);
    const heard: Outcome[] = [];
    const runs = createShadowRuns(modelsOf([shadow, stable]), (outcome) => heard.push(outcome));
    await runs.settled();
    for (let count = 0; count < 70; count++) {
      runs.answered({
        receivedAt: 0,
        latencyMicroseconds: 1,
        status: 200,
        requestId: String(count),
        chosen: { loaded: stable, variant: 'stable' },
        prediction: { requestId: null, feeds: [tensor(0)], outputs: [tensor(1)] },
      });
    }
    assert.equal(heard.length, 0);
    await runs.settled();
    assert.equal(heard.length, 64);
    const [told] = runs.statistics();
    assert.deepEqual([told?.comparedRows, told?.skippedRequests], [64, 6]);
    assert.equal(told?.outputs[0]?.meanAbsoluteDifference, 2);
  });
});

function versionOf(version: number, predict: () => Promise<readonly Tensor[]>): LoadedVersion {
  const specification = { name: 'x', datatype: 'FP32' as const, shape: [-1] };
  return {
    name: 'wine',
    version,
    labels: [],
    runtime: 'onnx',
    digest: null,
    facts: [],
    pending: () => 0,
    predictor: {
      inputs: [specification],
      outputs: [{ ...specification, name: 'y', labels: null }],
      layout: null,
      hasColumnSignature: false,
      exampleRequest: '',
      warnings: [],
      predict,
    },
  };
}

function modelsOf(versions: readonly LoadedVersion[]): Pick<LoadedModels, 'split' | 'versions'> {
  const split: TrafficSplit = {
    model: 'wine',
    salt: '',
    sticky: null,
    variants: [{ name: 'stable', version: 1, share: 1 }],
    shadow: { version: 2, share: 1 },
  };
  return { split: () => split, versions: () => versions };
}
