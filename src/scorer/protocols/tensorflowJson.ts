import { type Datatype, elementJson, given, type Tensor } from '../../inference/datatypes.ts';
import { badRequest } from '../../inference/problem.ts';
import { shortestFloats } from '../../inference/shortestFloats.ts';
import { isJsonObject } from '../requestBody.ts';

/** Whether a value is `{"b64": "..."}`, which is a string in base64 and no object of tensors. */
export function isBase64Object(value: unknown): value is { readonly b64: string } {
  return isJsonObject(value) && Object.keys(value).length === 1 && typeof value.b64 === 'string';
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Deeper lists than any tensor has are left as they are; their shape is refused later. */
const deepestList = 16;

/**
 * The same JSON with every `{"b64": "..."}` in its lists as the text that it stands for.
 *
 * @throws RequestProblem 400 when one is no base64, or no UTF-8, which is all that the runtime's strings hold.
 */
export function decodeBase64(value: unknown, field: string, depth = 0): unknown {
  if (Array.isArray(value) && depth < deepestList) {
    return value.map((element) => decodeBase64(element, field, depth + 1));
  }
  if (!isBase64Object(value)) return value;
  const { b64 } = value;
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(b64)) {
    throw badRequest(`${field}: ${given(b64)} is not formatted correctly for base64 data.`);
  }
  try {
    return decoder.decode(Buffer.from(b64, 'base64'));
  } catch {
    throw badRequest(`${field}: the base64 data is not valid UTF-8, which strings of this model have to be.`);
  }
}

/** How an element of an output is written. */
export type ElementText = (index: number) => string;

/**
 * How TensorFlow Serving writes the elements of an output (util/json_tensor.cc): whole numbers of floats end in `.0`,
 * strings of an output whose name ends in `_bytes` are in base64. What it would write as bare NaN and Infinity, which
 * is no JSON, is null, "Infinity" and "-Infinity".
 */
export function elementTexts(name: string, output: Tensor): ElementText {
  const { datatype, data } = shortestFloats(output);
  const isBytes = datatype === 'BYTES' && name.endsWith('_bytes');
  const isDecimal = isFloat(datatype);
  return (index) => {
    const value = data[index] ?? 0;
    if (isBytes) return `{"b64":"${Buffer.from(String(value)).toString('base64')}"}`;
    const text = elementJson(datatype, value);
    return isDecimal && /^-?\d+$/.test(text) ? `${text}.0` : text;
  };
}

export function isFloat(datatype: Datatype): boolean {
  return datatype === 'FP32' || datatype === 'FP64' || datatype === 'FP16';
}

/**
 * The part of a tensor that begins at an element, as nested JSON lists; a scalar as itself.
 *
 * @param shape of the part.
 */
export function nestedText(shape: readonly number[], from: number, text: ElementText): string {
  const [size, ...rest] = shape;
  if (size === undefined) return text(from);
  const each = rest.reduce((product, length) => product * length, 1);
  const parts: string[] = [];
  for (let index = 0; index < size; index++) parts.push(nestedText(rest, from + index * each, text));
  return `[${parts.join(',')}]`;
}
