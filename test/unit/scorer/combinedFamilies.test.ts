import assert from 'node:assert/strict';
import type { MetricFamily } from '../../../src/protocol/metricFamily.ts';
import { combineFamilies } from '../../../src/scorer/combinedFamilies.ts';

describe('metrics of several processes', () => {
  const reading = (requests: Readonly<Record<string, number>>, start: number): readonly MetricFamily[] => [
    {
      name: 'requests_total',
      help: 'Requests.',
      type: 'counter',
      samples: Object.entries(requests).map(([model, value]) => ({ labels: { model, version: '1' }, value })),
    },
    { name: 'ready', help: '', type: 'gauge', across: 'greatest', samples: [{ labels: {}, value: 1 }] },
    { name: 'start', help: '', type: 'gauge', across: 'least', samples: [{ labels: {}, value: start }] },
  ];
  const values = (families: readonly MetricFamily[]) =>
    families.map(({ name, samples }) => [name, samples.map(({ labels, value }) => [labels.model, value])]);

  it('are added, each sample to that with the same labels', () => {
    const combined = combineFamilies([
      reading({ a: 1, b: 2 }, 30),
      reading({ b: 3, c: 4 }, 20),
      reading({}, 40),
    ]);
    assert.deepEqual(values(combined), [
      [
        'requests_total',
        [
          ['a', 1],
          ['b', 5],
          ['c', 4],
        ],
      ],
      ['ready', [[undefined, 1]]],
      ['start', [[undefined, 20]]],
    ]);
  });

  it('tell the buckets of a histogram from its sum', () => {
    const histogram: MetricFamily = {
      name: 'seconds',
      help: '',
      type: 'histogram',
      samples: [
        { suffix: '_bucket', labels: { model: 'a', le: '+Inf' }, value: 2 },
        { suffix: '_sum', labels: { model: 'a' }, value: 0.5 },
        { suffix: '_count', labels: { model: 'a' }, value: 2 },
      ],
    };
    const [combined] = combineFamilies([[histogram], [histogram]]);
    assert.deepEqual(
      combined?.samples.map(({ suffix, value }) => [suffix, value]),
      [
        ['_bucket', 4],
        ['_sum', 1],
        ['_count', 4],
      ],
    );
  });
});
