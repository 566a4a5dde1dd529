import { type ColumnLayout, columnJson, columnNames, outputsJson } from '../../src/inference/columns.ts';
import { allocate, type Tensor } from '../../src/inference/datatypes.ts';
import type { OutputSpecification, TensorSpecification } from '../../src/inference/model.ts';
import { flatJson } from '../../src/inference/tensorJson.ts';

/** What the log must tell of inputs: a JSON object of columns, or of tensors where they have no names. */
export function keptInputs(
  feeds: readonly Tensor[],
  inputs: readonly TensorSpecification[],
  layout: ColumnLayout | null,
  redacted: ReadonlySet<string> = new Set(),
): string {
  const names = layout && columnNames(layout);
  const members =
    layout && names
      ? layout.places.flatMap(({ input, offset }, index) => {
          const feed = feeds[input];
          if (feed?.absent) return [];
          const name = names[index] ?? '';
          if (redacted.has(name) || redacted.has(inputs[input]?.name ?? ''))
            return `${JSON.stringify(name)}:null`;
          return `${JSON.stringify(name)}:${feed ? flatJson(columnOf(feed, offset)) : '[]'}`;
        })
      : feeds.flatMap((feed, index) => {
          if (feed.absent) return [];
          const name = inputs[index]?.name ?? '';
          return `${JSON.stringify(name)}:${redacted.has(name) ? 'null' : columnJson(feed)}`;
        });
  return `{${members.join(',')}}`;
}

/** A column of a table of rows, as a tensor of its own. */
function columnOf({ datatype, shape, data }: Tensor, offset: number): Tensor {
  const [rows = 1, width = 1] = shape;
  if (width === 1) return { datatype, shape: [rows], data };
  const column = allocate(datatype, rows);
  for (let row = 0; row < rows; row++) column[row] = data[row * width + offset] ?? 0;
  return { datatype, shape: [rows], data: column };
}

/** What the log must tell of outputs. */
export function keptOutputs(
  tensors: readonly Tensor[],
  outputs: readonly OutputSpecification[],
  redacted: ReadonlySet<string> = new Set(),
): string {
  const members = outputs.map((output, index) =>
    redacted.has(output.name)
      ? `${JSON.stringify(output.name)}:null`
      : outputsJson(tensors.slice(index, index + 1), [output], columnJson).slice(1, -1),
  );
  return `{${members.join(',')}}`;
}
