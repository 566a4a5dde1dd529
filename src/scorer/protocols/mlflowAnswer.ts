import { outputsJson, scoreMaps } from '../../inference/columns.ts';
import type { Tensor } from '../../inference/datatypes.ts';
import type { OutputSpecification } from '../../inference/model.ts';
import { nestedJson, rowsJson } from '../../inference/tensorJson.ts';

/** The predictions of a table: one JSON object of outputs for each row; the value where its only output has no name. */
export function rowPredictions(
  outputs: readonly Tensor[],
  specifications: readonly OutputSpecification[],
): readonly string[] {
  const [only] = outputs;
  if (only && outputs.length === 1 && specifications[0]?.unnamed) return outputRows(only, specifications[0]);
  const columns = outputs.map((output, index) => {
    const specification = specifications[index];
    const name = JSON.stringify(specification?.name);
    return outputRows(output, specification).map((row) => `${name}:${row}`);
  });
  return Array.from({ length: Math.max(0, ...columns.map(({ length }) => length)) }, (_, row) => {
    const members = columns.flatMap((column) => column[row] ?? []);
    return `{${members.join(',')}}`;
  });
}

/** The predictions of tensors: one JSON object of outputs; the only one itself where it has no name. */
export function tensorPredictions(
  outputs: readonly Tensor[],
  specifications: readonly OutputSpecification[],
): string {
  const [only] = outputs;
  if (only && outputs.length === 1 && specifications[0]?.unnamed) return nestedJson(only);
  return outputsJson(outputs, specifications, nestedJson);
}

/** Each row of an output; a row of one element is that element, as in a column of a table. */
function outputRows(output: Tensor, specification: OutputSpecification | undefined): readonly string[] {
  if (specification?.labels) return scoreMaps(output, specification.labels);
  const [rows = 1, width = 1, ...rest] = output.shape;
  return rowsJson(width === 1 && rest.length === 0 ? { ...output, shape: [rows] } : output);
}
