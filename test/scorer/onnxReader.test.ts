import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readFacts } from '../../src/inference/onnx/facts.ts';
import { readGraph } from '../../src/inference/onnx/graph.ts';
import { replaceOutputs } from '../../src/inference/onnx/outputReplacement.ts';
import { joinBytes, readFields, writeField, writeInteger } from '../../src/inference/onnx/wire.ts';
import { classifierModel, identityModel, integer, linearModel, message, text } from '../fixtures/onnxFile.ts';

describe('The reader of ONNX files', () => {
  it('finds the labels of ZipMap nodes, whether text or integers', () => {
    assert.deepEqual(readGraph(classifierModel(['a', 'é'])).zipMaps[0]?.labels, ['a', 'é']);
    assert.deepEqual(readGraph(classifierModel([-3, 300])).zipMaps[0]?.labels, [-3n, 300n]);
    assert.deepEqual(readGraph(linearModel()).zipMaps, []);
  });

  it('takes ZipMap nodes out, and nothing else', () => {
    const linear = linearModel();
    assert.equal(replaceOutputs(linear, readGraph(linear)).model, null);
    const classifier = classifierModel(['a', 'b', 'c']);
    const { model, outputs } = replaceOutputs(classifier, readGraph(classifier));
    assert.ok(model);
    assert.deepEqual(outputs, [
      { name: 'label', source: 'label', labels: null },
      { name: 'probability', source: 'scores', labels: ['a', 'b', 'c'] },
    ]);
    const graph = readGraph(model);
    assert.deepEqual(graph.zipMaps, []);
    assert.deepEqual(
      graph.outputs.map(({ name }) => name),
      ['label', 'scores'],
    );
    assert.equal(replaceOutputs(model, graph).model, null);
  });

  it('tells a tensor of unknown rank from a scalar', () => {
    const model = identityModel([
      { name: 'unknown', element: 'float', shape: null },
      { name: 'scalar', element: 'float', shape: [] },
    ]);
    const { inputs, outputs } = readGraph(model);
    assert.deepEqual(
      [...inputs, ...outputs].map(({ name, type }) => [name, type.kind === 'tensor' && type.hasShape]),
      [
        ['unknown', false],
        ['scalar', true],
        ['unknown_out', false],
        ['scalar_out', true],
      ],
    );
  });

  it('names an operator set once, even when both names of that of ONNX are imported', () => {
    const opset = (domain: string, version: number) => message(8, text(1, domain), integer(2, version));
    const opsetsOf = (...opsets: Buffer[]) =>
      readFacts(Buffer.concat(opsets)).find(({ name }) => name === 'opset')?.value;
    assert.equal(
      opsetsOf(opset('', 22), opset('ai.onnx', 22), opset('ai.onnx.ml', 3)),
      'ai.onnx 22, ai.onnx.ml 3',
    );
    assert.equal(opsetsOf(opset('', 22), opset('ai.onnx', 21)), 'ai.onnx 22, ai.onnx 21');
  });

  it('reads what the writer wrote', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.uint8Array(),
        fc.nat(),
        (number, content, integer) => {
          const bytes = joinBytes([writeField(number, content), writeInteger(number, integer)]);
          const [first, second, ...rest] = [...readFields(bytes)];
          assert.deepEqual([first?.number, [...(first?.content ?? [])]], [number, [...content]]);
          assert.deepEqual([second?.number, second?.value], [number, BigInt(integer)]);
          assert.equal(rest.length, 0);
          assert.deepEqual(joinBytes([...readFields(bytes)].map((field) => field.bytes)), bytes);
        },
      ),
    );
  });

  it('ends on any bytes, with fields or with an error', () => {
    const model = classifierModel(['a', 'b', 'c']);
    const damaged = fc
      .array(fc.tuple(fc.nat(model.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 })
      .map((changes) => {
        const copy = Uint8Array.from(model);
        for (const [at, byte] of changes) copy[at] = byte;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
        try {
          replaceOutputs(bytes, readGraph(bytes));
          readFacts(bytes);
        } catch (error) {
          assert.ok(error instanceof Error && error.constructor === Error, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
