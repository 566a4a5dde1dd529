import { classifierModel, identityModel, linearModel } from '../fixtures/onnxFile.ts';
import { modelFile, type RunningScorer, startScorerProcess } from './scorerProcess.ts';

/**
 * A scorer of several models: "wine" takes one tensor of three columns, in two versions of which only version 4 has
 * names of columns; "mixed" one input a column; "kinds" and "numbers" are classifiers.
 */
export async function startTensorflowScorer(folder: string): Promise<RunningScorer> {
  const mixed = identityModel([
    { name: 'acid', element: 'float', shape: ['rows', 1] },
    { name: 'count', element: 'int64', shape: ['rows', 1] },
    { name: 'colour', element: 'string', shape: ['rows', 1] },
  ]);
  const odd = identityModel([
    { name: 'raw_bytes', element: 'string', shape: ['rows'] },
    { name: 'ok', element: 'bool', shape: ['rows'] },
    { name: 'half', element: 'float16', shape: ['rows', 2] },
  ]);
  const texts = identityModel([{ name: 'text', element: 'string', shape: ['rows'] }]);
  const scalar = identityModel([{ name: 'x', element: 'double', shape: [] }]);
  const file = (model: Buffer) => modelFile(folder, model);
  const onnx = async (model: Buffer) => ({ type: 'onnx' as const, file: await file(model) });
  const columns = ['acid', 'sugar', 'salt'];
  return startScorerProcess(folder, linearModel(), {
    models: [
      {
        name: 'wine',
        version: 4,
        source: await onnx(linearModel()),
        columns,
        labels: ['canary', 'Staging'],
      },
      { name: 'mixed', version: 1, source: await onnx(mixed) },
      { name: 'odd', version: 1, source: await onnx(odd) },
      { name: 'texts', version: 1, source: await onnx(texts) },
      { name: 'scalar', version: 1, source: await onnx(scalar) },
      { name: 'kinds', version: 1, source: await onnx(classifierModel(['a', 'b', 'c'])) },
      { name: 'numbers', version: 1, source: await onnx(classifierModel([10, 20, 30])) },
      { name: 'a b/ü:x', version: 1, source: await onnx(linearModel()) },
    ],
  });
}
