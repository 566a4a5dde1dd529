import assert from 'node:assert/strict';
import { absentTensor } from '../../../src/inference/absentTensor.ts';
import { columnLayout } from '../../../src/inference/columns.ts';
import type { TensorSpecification } from '../../../src/inference/model.ts';
import { loggedFeeds } from '../../../src/worker/requests/loggedFeeds.ts';
import { createReplayComparison } from '../../../src/worker/requests/replayComparison.ts';
import { keptInputs } from '../../scorer/keptValues.ts';

const request = (outputs: string, rowCount = 1, inputs = '{"x":[1]}') => ({
  id: 1,
  requestId: 'a',
  receivedAt: 5,
  model: 'wine',
  version: 1,
  variant: 'stable',
  rowCount,
  status: 200,
  latencyMicroseconds: 1,
  inputs,
  outputs,
});

describe('a comparison of predictions', () => {
  const compared = (before: string, now: string, exact: readonly string[] = []) => {
    const comparison = createReplayComparison(exact);
    comparison.add(request(before), now);
    return comparison.report();
  };

  it('takes numbers that are nearly equal for equal, but not labels', () => {
    assert.equal(compared('{"y":[20000]}', '{"y":[20001]}').equalRows, 1);
    assert.equal(compared('{"y":[20000]}', '{"y":[20001]}', ['y']).equalRows, 0);
    assert.equal(compared('{"y":["a"]}', '{"y":["b"]}').equalRows, 0);
    assert.equal(compared('{"y":[null]}', '{"y":[null]}').equalRows, 1);
    assert.equal(compared('{"y":[null]}', '{"y":[1]}').equalRows, 0);
  });

  it('tells long integers apart that differ in their last digit', () => {
    const { equalRows, outputs, examples } = compared(
      '{"y":[9007199254740993]}',
      '{"y":[9007199254740992]}',
      ['y'],
    );
    assert.equal(equalRows, 0);
    assert.equal(outputs[0]?.largestAbsoluteDifference, 1);
    assert.equal(examples[0]?.before, '{"y":9007199254740993}');
  });

  it('compares scores class by class', () => {
    const { outputs, equalRows } = compared('{"p":[{"a":0.25,"b":0.75}]}', '{"p":[{"a":0.5,"b":0.5}]}');
    assert.deepEqual(
      [equalRows, outputs],
      [0, [{ name: 'p', equalRows: 0, meanAbsoluteDifference: 0.25, largestAbsoluteDifference: 0.25 }]],
    );
    assert.equal(compared('{"p":[{"a":1}]}', '{"p":[{"a":1,"b":0}]}').equalRows, 0);
  });

  it('names the outputs that it cannot compare, and fails when that are all', () => {
    const report = compared('{"y":[1],"secret":null,"old":[1]}', '{"y":[1],"secret":[1],"new":[1]}');
    assert.deepEqual([report.equalRows, report.outputsNotCompared], [1, ['new', 'old', 'secret']]);
    assert.throws(() => compared('{"y":[1]}', '{"z":[1]}'), /None of its outputs .*\("y"\)/);
    assert.throws(() => compared('{"y":null}', '{"y":[1]}'), /None of its outputs/);
  });
});

describe('the inputs of a logged request', () => {
  const feeds = (
    inputs: readonly TensorSpecification[],
    json: string,
    columns: readonly string[] | null = null,
  ) => loggedFeeds({ inputs, layout: columnLayout(inputs, columns) }, json);
  const input = (
    name: string,
    datatype: TensorSpecification['datatype'],
    shape: TensorSpecification['shape'],
    more: Partial<TensorSpecification> = {},
  ): TensorSpecification => ({ name, datatype, shape, ...more });

  it('keep every digit of long integers, in tables and in tensors', () => {
    const json = '{"id":[9007199254740993,1],"x":[10000000000000000000,0.5]}';
    const [id, x] = feeds([input('id', 'INT64', [-1, 1]), input('x', 'FP64', [-1, 1])], json);
    assert.deepEqual([...(id?.data ?? [])], [9_007_199_254_740_993n, 1n]);
    assert.deepEqual([...(x?.data ?? [])], [1e19, 0.5]);
    const [tensor] = feeds([input('t', 'UINT64', [-1, 1, 2])], '{"t":[[[18446744073709551615,2]]]}');
    assert.deepEqual([...(tensor?.data ?? [])], [18_446_744_073_709_551_615n, 2n]);
    assert.deepEqual(tensor?.shape, [1, 1, 2]);
  });

  it('are a scalar where the model takes one', () => {
    const [scalar] = feeds([input('t', 'FP32', [])], '{"t":[0.5]}');
    assert.deepEqual(scalar?.shape, []);
  });

  it('were left out where they are optional, and redacted where they are null', () => {
    const inputs = [input('x', 'FP32', [-1, 1]), input('y', 'FP32', [-1, 1], { optional: true })];
    const x = { datatype: 'FP32', shape: [2, 1], data: Float32Array.of(1, 2) } as const;
    const absent = absentTensor(input('y', 'FP32', [-1, 1]), 2);
    const json = keptInputs([x, absent], inputs, columnLayout(inputs, null));
    assert.equal(json, '{"x":[1,2]}');
    assert.equal(keptInputs([x, absent], inputs, null), json);
    const [, left] = feeds(inputs, json);
    assert.deepEqual([left?.absent, left?.shape[0]], [true, 2]);
    assert.throws(() => feeds(inputs, '{"x":[1,2],"y":null}'), /"y" were redacted/);
    assert.throws(() => feeds(inputs, '{"y":[1,2]}'), /"x" is missing/);
  });
});
