import { columnJson, columnNames, inputsJson, outputsJson } from '../inference/columns.ts';
import { type Datatype, elementJson, type Tensor } from '../inference/datatypes.ts';
import { shortestFloat, shortestFloats } from '../inference/shortestFloat.ts';
import type { LoggedModel } from './loggedRequest.ts';

/** Writes what a model was asked and what it answered as the inference log keeps it. */
export interface LoggedValues {
  inputs(feeds: readonly Tensor[]): string;
  outputs(outputs: readonly Tensor[]): string;
}

/**
 * For one model, so that what is the same in all of its requests is worked out once.
 *
 * @param redacted columns and outputs whose values are left out.
 */
export function createLoggedValues(model: LoggedModel, redacted: ReadonlySet<string>): LoggedValues {
  const { inputs, outputs, layout } = model;
  const names = layout && columnNames(layout);
  const columns =
    layout && names
      ? layout.places.map(({ input, offset }, index) => {
          const name = names[index] ?? '';
          const isRedacted = redacted.has(name) || redacted.has(inputs[input]?.name ?? '');
          return { input, offset, isRedacted, head: `${JSON.stringify(name)}:` };
        })
      : null;
  const slow = (feeds: readonly Tensor[]) => inputsJson(feeds.map(shortestFloats), inputs, layout, redacted);
  const heads = outputs.map(({ name }) => `{${JSON.stringify(name)}:`);
  const [only] = outputs;
  const isSimple = outputs.length === 1 && only !== undefined && !only.labels && !redacted.has(only.name);
  return {
    inputs(feeds) {
      if (!columns || feeds.some(({ data, absent }) => absent || Array.isArray(data))) return slow(feeds);
      let text = '';
      for (const { input, offset, isRedacted, head } of columns) {
        const feed = feeds[input];
        if (!feed) return slow(feeds);
        text += text === '' ? head : `,${head}`;
        text += isRedacted ? 'null' : columnText(feed, offset);
      }
      return `{${text}}`;
    },
    outputs(tensors) {
      const [tensor] = tensors;
      const isColumn =
        tensor && (tensor.shape.length < 2 || (tensor.shape.length === 2 && tensor.shape[1] === 1));
      if (isSimple && isColumn) return `${heads[0]}${columnText(tensor, 0)}}`;
      return outputsJson(tensors.map(shortestFloats), outputs, columnJson, redacted);
    },
  };
}

/** One column of the rows of a tensor as a JSON list. */
function columnText({ datatype, shape, data }: Tensor, offset: number): string {
  const width = shape[1] ?? 1;
  let text = '[';
  for (let at = offset; at < data.length; at += width) {
    const value = data[at] ?? 0;
    if (at !== offset) text += ',';
    text += elementText(datatype, value);
  }
  return `${text}]`;
}

function elementText(datatype: Datatype, value: string | number | bigint): string {
  if (datatype === 'FP32' && typeof value === 'number') return elementJson('FP64', shortestFloat(value));
  return elementJson(datatype, value);
}
