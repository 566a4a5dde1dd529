import { elementJson, sliceData, type Tensor } from '../../inference/datatypes.ts';
import type { OutputSpecification } from '../../inference/model.ts';
import { badRequest } from '../../inference/problem.ts';
import { elementCount } from '../../inference/tensorJson.ts';
import { fromHalfBits } from '../../protocol/halfPrecision.ts';
import { shortestFloat } from '../../protocol/shortestFloat.ts';

/**
 * The highest values of each row of an output, highest first, each as the text `value:index` or `value:index:label`
 * (https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md).
 *
 * What lies under the first size of the shape is a row; a scalar and a list are one row. Of equal values the one of the
 * lower index comes first; NaN comes last.
 *
 * @throws RequestProblem 400 for an output whose elements have no order.
 */
export function classify(
  name: string,
  tensor: Tensor,
  labels: OutputSpecification['labels'],
  classes: number,
): Tensor {
  const { datatype, shape } = tensor;
  if (datatype === 'BYTES' || datatype === 'BOOL') {
    throw badRequest(`Output "${name}": ${datatype} has no order, so it has no "classification".`);
  }
  const batched = shape.length > 1;
  const rows = batched ? (shape[0] ?? 0) : 1;
  const width = elementCount(batched ? shape.slice(1) : shape);
  const count = Math.min(width, classes);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const values = readValues(tensor, row * width, (row + 1) * width);
    const order = values.map((_, index) => index);
    order.sort((left, right) => descending(values[left] ?? 0, values[right] ?? 0));
    for (const index of order.slice(0, count)) {
      const label = labels?.[index];
      texts.push(`${valueText(values[index] ?? 0)}:${index}${label === undefined ? '' : `:${label}`}`);
    }
  }
  return { datatype: 'BYTES', shape: batched ? [rows, count] : [count], data: texts };
}

function readValues({ datatype, data }: Tensor, from: number, to: number): readonly (number | bigint)[] {
  const values: (number | bigint)[] = [];
  for (const value of sliceData(data, from, to)) {
    if (typeof value === 'bigint') values.push(value);
    else if (typeof value === 'number') values.push(datatype === 'FP16' ? fromHalfBits(value) : value);
  }
  return datatype === 'FP32' ? values.map((value) => shortestFloat(Number(value))) : values;
}

function descending(left: number | bigint, right: number | bigint): number {
  if (left > right || Number.isNaN(right)) return Number.isNaN(left) ? 0 : -1;
  return left < right || Number.isNaN(left) ? 1 : 0;
}

/** As programs in C and Python read it back: `nan`, `inf` and `-inf` for what is no finite number. */
function valueText(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isFinite(value)) return elementJson('FP64', value);
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}
