import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { prometheusText } from '../../src/scorer/prometheusText.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { pythonWithPeers } from '../python.ts';
import {
  modelFile,
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from './scorerProcess.ts';

interface Sample {
  readonly family: string;
  readonly type: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const hostile = 'a "b"\\c\nd';

/** Prometheus' own client reads the text; it throws where that is not its format. */
const script = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([
    {"family": family.name, "type": family.type, "name": sample.name, "labels": sample.labels, "value": sample.value}
    for family in text_string_to_metric_families(sys.stdin.read()) for sample in family.samples
]))`;

describe('Metrics of a scorer', () => {
  let folder: string;
  let scorer: RunningScorer;
  before(async () => {
    folder = await temporaryFolder();
    const source = { type: 'onnx' as const, file: await modelFile(folder, linearModel()) };
    scorer = await startScorerProcess(folder, linearModel(), {
      models: [{ name: hostile, version: 1, source, digest: 'abc' }],
    });
  });
  after(async () => {
    await scorer.drain();
    await removeFolder(folder);
  });

  it('asks for the token', async () => {
    assert.equal((await fetch(`${scorer.url}/metrics`)).status, 401);
    assert.equal((await scorer.ask('/metrics', { body: {} })).status, 405);
  });

  it('counts what was answered and refused, in the format of Prometheus', async function () {
    const python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_SERVING');
    const predict = '/v1/models/wine:predict';
    const rows = {
      instances: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    };
    for (let count = 0; count < 3; count++)
      assert.equal((await scorer.ask(predict, { body: rows })).status, 200);
    assert.equal((await scorer.ask('/v1/models/wine/versions/3:predict', { body: rows })).status, 200);
    assert.equal((await scorer.ask(predict, { body: { instances: [] } })).status, 400);
    assert.equal((await scorer.ask('/v1/models/beer:predict', { body: rows })).status, 404);
    const { text, headers } = await scorer.ask('/metrics');
    assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    const samples: readonly Sample[] = JSON.parse(
      execFileSync(python, ['-c', script], { input: text, encoding: 'utf8' }),
    );
    const value = (name: string, labels: Readonly<Record<string, string>> = {}) => {
      const found = samples.filter(
        (sample) =>
          // The client's reader gives every counter the suffix that OpenMetrics asks for.
          (sample.name === name || (sample.type === 'counter' && sample.name === `${name}_total`)) &&
          Object.entries(labels).every(([key, wanted]) => sample.labels[key] === wanted),
      );
      assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}`);
      return found[0]?.value;
    };
    const wine = { model: 'wine', version: '3' };
    assert.equal(value('nv_inference_request_success', wine), 4);
    assert.equal(value('nv_inference_request_failure', { ...wine, reason: 'OTHER' }), 1);
    assert.equal(value('nv_inference_count', wine), 8);
    assert.equal(value('nv_inference_exec_count', wine), 4);
    assert.equal(value('nv_inference_pending_request_count', wine), 0);
    const duration = (name: string) => value(`nv_inference_${name}_duration_us`, wine) ?? 0;
    assert.ok(duration('compute_infer') > 0);
    assert.ok(duration('request') >= duration('compute_infer') + duration('queue'));
    assert.equal(value('nv_inference_request_success', { model: hostile }), 0);
    assert.equal(value('slipway_model_info', { model: hostile, version: '1', digest: 'abc' }), 1);

    const stable = { ...wine, variant: 'stable', status: '2xx' };
    const count = 'slipway_request_duration_seconds_count';
    assert.equal(value(count, stable), 3);
    assert.equal(value(count, { ...wine, variant: 'version', status: '2xx' }), 1);
    assert.equal(value(count, { ...wine, variant: 'stable', status: '4xx' }), 1);
    assert.equal(value('slipway_request_duration_seconds_bucket', { ...stable, le: '+Inf' }), 3);
    const buckets = samples.filter(
      ({ name, labels }) =>
        name === 'slipway_request_duration_seconds_bucket' &&
        labels.variant === 'stable' &&
        labels.status === '2xx',
    );
    assert.deepEqual(
      buckets.map(({ value }) => value),
      buckets.map(({ value }) => value).toSorted((left, right) => left - right),
    );
    assert.equal(value('slipway_refused_requests_total', { status: '4xx' }), 1);
    assert.equal(value('slipway_ready'), 1);
    assert.ok((value('process_resident_memory_bytes') ?? 0) > 1e7);
    assert.ok((value('process_cpu_seconds_total') ?? 0) > 0);
    assert.ok(Math.abs((value('process_start_time_seconds') ?? 0) - Date.now() / 1e3) < 600);

    const types = Object.fromEntries(samples.map(({ family, type }) => [family, type]));
    assert.equal(types.nv_inference_request_success, 'counter');
    assert.equal(types.nv_inference_pending_request_count, 'gauge');
    assert.equal(types.slipway_request_duration_seconds, 'histogram');
    for (const line of text.split('\n'))
      assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [-+\w.]+|)$/);
  });

  it('escapes help and labels, and writes numbers as Go reads them', () => {
    const family = { name: 'a', help: 'one\\two\nthree "four"', type: 'gauge' } as const;
    const samples = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21, 0.5].map(
      (value) => ({ labels: { l: hostile }, value }),
    );
    const labels = '{l="a \\"b\\"\\\\c\\nd"}';
    assert.equal(
      prometheusText([
        { ...family, samples },
        { ...family, name: 'empty', samples: [] },
      ]),
      [
        '# HELP a one\\\\two\\nthree "four"',
        '# TYPE a gauge',
        ...['NaN', '+Inf', '-Inf', '1e+21', '0.5'].map((number) => `a${labels} ${number}`),
        '',
      ].join('\n'),
    );
  });
});
