import assert from 'node:assert/strict';
import type { MetricSummary } from '../../../src/protocol/tracking.ts';
import { arranged } from '../../../src/webview/tracking/metricOrder.ts';

function metric(key: string, pointCount: number): MetricSummary {
  return { key, value: 1, step: 0, timestamp: 0, pointCount };
}

const metrics = [
  metric('val/loss', 10),
  metric('accuracy', 1),
  metric('system/cpu', 30),
  metric('system/memory', 1),
  metric('train/loss', 10),
  metric('val/auc', 10),
];

function keys(all: readonly MetricSummary[]): string[] {
  return all.map(({ key }) => key);
}

describe('the order of metrics', () => {
  it('parts single values, curves and those of the machine, and begins with the main one', () => {
    const { numbers, curves, system } = arranged(metrics, 'val/auc', '');
    assert.deepEqual(keys(numbers), ['accuracy']);
    assert.deepEqual(keys(curves), ['val/auc', 'train/loss', 'val/loss']);
    assert.deepEqual(keys(system), ['system/cpu', 'system/memory']);
  });

  it('leaves out what does not match the filter, letter case aside', () => {
    const { numbers, curves, system } = arranged(metrics, null, ' LOSS');
    assert.deepEqual(keys([...numbers, ...curves, ...system]), ['train/loss', 'val/loss']);
  });
});
