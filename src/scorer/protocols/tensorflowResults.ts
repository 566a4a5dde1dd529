import type { Tensor } from '../../inference/datatypes.ts';
import type { OutputSpecification } from '../../inference/model.ts';
import { badRequest } from '../../inference/problem.ts';
import { elementTexts, isFloat, nestedText } from './tensorflowJson.ts';

/** Which outputs of a model answer `:classify`. */
export interface ClassOutputs {
  /** The output with a score for each class; null when the model gives none. */
  readonly scores: number | null;
  /** The output with the class of each row; null when it is not needed or there is none. */
  readonly classes: number | null;
}

/**
 * The outputs that tell a class and its scores: scores with their labels, as scikit-learn's converter writes them,
 * else scores beside an output of one label a row, else only that label as text. Null when the model is no classifier.
 */
export function classOutputs(outputs: readonly OutputSpecification[]): ClassOutputs | null {
  const labelled = outputs.findIndex(({ labels }) => labels !== null);
  if (labelled !== -1) return { scores: labelled, classes: null };
  const scores = outputs.findIndex(
    ({ datatype, shape }) => isFloat(datatype) && shape?.length === 2 && shape[1] !== 1,
  );
  const classes = outputs.findIndex(
    (output) => ['BYTES', 'INT64', 'INT32'].includes(output.datatype) && isOneEachRow(output),
  );
  if (scores !== -1 && classes !== -1) return { scores, classes: null };
  return classes !== -1 && outputs[classes]?.datatype === 'BYTES' ? { scores: null, classes } : null;
}

/** The output that tells one number a row, which answers `:regress`; null when there is none. */
export function valueOutput(outputs: readonly OutputSpecification[]): number | null {
  if (classOutputs(outputs)) return null;
  const index = outputs.findIndex((output) => isFloat(output.datatype) && isOneEachRow(output));
  return index === -1 ? null : index;
}

function isOneEachRow({ shape }: OutputSpecification): boolean {
  return shape?.length === 1 || (shape?.length === 2 && shape[1] === 1);
}

/**
 * The answer of `:classify`: for each example the pairs of a label and its score, in the order of the model's columns.
 * A score whose class the model does not name has the label "", a class without a score the score 0, as in TensorFlow
 * Serving.
 *
 * @throws RequestProblem 400 when the model is no classifier.
 */
export function classifyAnswer(
  tensors: readonly Tensor[],
  specifications: readonly OutputSpecification[],
): string {
  const found = classOutputs(specifications);
  if (!found) {
    throw badRequest(
      'This model tells no classes, so it does not answer :classify; ask :predict or :regress.',
    );
  }
  const scores = found.scores === null ? undefined : tensors[found.scores];
  if (scores && found.scores !== null) {
    const labels = specifications[found.scores]?.labels ?? [];
    const [rows = 0, width = 0] = scores.shape;
    const text = elementTexts('', scores);
    const results = Array.from({ length: rows }, (_, row) => {
      const pairs = Array.from({ length: width }, (_, column) => {
        const label = JSON.stringify(String(labels[column] ?? ''));
        return `[${label},${text(row * width + column)}]`;
      });
      return `[${pairs.join(',')}]`;
    });
    return `{"results":[${results.join(',')}]}`;
  }
  const classes = tensors[found.classes ?? 0];
  const labels = Array.from<unknown, string>(classes?.data ?? [], (label) => JSON.stringify(String(label)));
  return `{"results":[${labels.map((label) => `[[${label},0.0]]`).join(',')}]}`;
}

/** The answer of `:regress`: one number for each example. @throws RequestProblem 400 when the model gives none. */
export function regressAnswer(
  tensors: readonly Tensor[],
  specifications: readonly OutputSpecification[],
): string {
  const index = valueOutput(specifications);
  const values = index === null ? undefined : tensors[index];
  if (!values) {
    throw badRequest(
      'This model does not tell one number for each example, so it does not answer :regress; ask :predict or :classify.',
    );
  }
  return `{"results":${nestedText([values.data.length], 0, elementTexts('', values))}}`;
}
