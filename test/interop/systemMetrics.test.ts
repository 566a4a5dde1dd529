import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { systemMetricPrefix } from '../../src/protocol/systemMetrics.ts';
import { arranged } from '../../src/webview/tracking/metricOrder.ts';
import { openTrackingEngine, type TrackingEngine } from '../engine/trackingEngine.ts';
import { pythonWithPeers } from '../python.ts';
import { runProgram, terminalVariables } from './terminalProgram.ts';

/** Trains until the client has sampled the machine twice: the second time the group of its figures is complete. */
const script = `
import mlflow, time
mlflow.set_system_metrics_sampling_interval(0.2)
mlflow.set_system_metrics_samples_before_logging(1)
with mlflow.start_run(log_system_metrics=True) as run:
    mlflow.log_metric("val_accuracy", 0.9)
    client = mlflow.MlflowClient()
    while len(client.get_metric_history(run.info.run_id, "system/cpu_utilization_percentage")) < 3:
        time.sleep(0.1)
print(run.info.run_id)`;

describe('System metrics of the real Python client', () => {
  let engine: TrackingEngine;
  let runId: string;

  before(async function () {
    const python = pythonWithPeers(this);
    this.timeout(60_000);
    engine = await openTrackingEngine();
    const env = terminalVariables(engine);
    const { code, output, errors } = await runProgram(python, ['-c', script], { cwd: tmpdir(), env });
    assert.equal(code, 0, errors);
    runId = output.trim();
  });
  after(() => engine?.close());

  it('stand in a group of their own', () => {
    const { metrics } = engine.tracking.runDetail(runId);
    const { numbers, curves, system } = arranged(metrics, null, '');
    assert.deepEqual(
      [...numbers, ...curves].map(({ key }) => key),
      ['val_accuracy'],
    );
    const keys = system.map(({ key }) => key);
    for (const name of [
      'cpu_utilization_percentage',
      'system_memory_usage_megabytes',
      'disk_usage_percentage',
    ]) {
      assert.ok(keys.includes(systemMetricPrefix + name), name);
    }
    assert.ok(system.some(({ pointCount }) => pointCount > 2));
  });

  it('are never what runs are judged by', () => {
    const { run } = engine.tracking.runDetail(runId);
    assert.deepEqual(run.mainMetric, { key: 'val_accuracy', value: 0.9 });
  });
});
