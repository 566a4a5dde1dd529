import type { Tensor, TensorData } from '../../inference/datatypes.ts';
import type { OutputDifference } from '../../protocol/conversion.ts';

/** Numbers that differ by no more than this, in relation to the larger one or to 1, count as equal. */
const tolerance = 1e-4;
const keptExamples = 5;

/**
 * How one output of a converted model differs from what its origin gave for the same rows. Numbers are compared as
 * numbers where one side has fractions; labels and whole numbers must be equal. NaN equals NaN.
 */
export function compareOutput(name: string, expected: Tensor, converted: Tensor): OutputDifference {
  const rows = expected.shape[0] ?? 0;
  const width = rows === 0 ? 0 : expected.data.length / rows;
  const fits = converted.data.length === expected.data.length;
  const isNumber = isFloating(expected) || isFloating(converted);
  const examples: OutputDifference['examples'][number][] = [];
  let differentRows = 0;
  let largest = 0;
  let sum = 0;
  let count = 0;
  for (let row = 0; row < rows; row++) {
    let differs = !fits;
    for (let column = 0; fits && column < width; column++) {
      const one = expected.data[row * width + column];
      const other = converted.data[row * width + column];
      if (!isNumber) {
        if (String(one) !== String(other)) differs = true;
        continue;
      }
      const difference = distance(Number(one), Number(other));
      largest = Math.max(largest, difference);
      sum += difference;
      count++;
      const allowed = tolerance * Math.max(1, Math.abs(Number(one)), Math.abs(Number(other)));
      if (difference > 0 && !(difference <= allowed)) differs = true;
    }
    if (!differs) continue;
    differentRows++;
    if (examples.length < keptExamples) {
      examples.push({
        row,
        expected: rowText(expected.data, row, width),
        converted: rowText(converted.data, row, width),
      });
    }
  }
  return {
    name,
    rows,
    differentRows,
    largestAbsolute: isNumber && fits ? largest : null,
    meanAbsolute: isNumber && fits && count > 0 ? sum / count : null,
    examples,
  };
}

function isFloating({ datatype }: Tensor): boolean {
  return datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64';
}

/** Infinite when only one of both is a number, or infinite. */
function distance(one: number, other: number): number {
  if (Object.is(one, other) || one === other) return 0;
  const difference = Math.abs(one - other);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}

function rowText(data: TensorData, row: number, width: number): string {
  const values = Array.from<string | number | bigint>(data.slice(row * width, (row + 1) * width));
  return values
    .map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)))
    .join(', ');
}
