import { writeBinaryTensor } from '../../inference/binaryTensors.ts';
import { flatJson } from '../../inference/tensorJson.ts';
import type { LoadedVersion } from '../modelRepository.ts';
import type { ScorerAnswer } from '../routing.ts';
import type { RestQuestion } from './openInferenceJson.ts';
import type { AnsweredOutput, Inference } from './openInferenceQuestion.ts';

/**
 * Writes what a version answered: JSON, with the bytes of those outputs behind it that are wanted as bytes. The `id` is
 * the client's, and left out where it gave none.
 */
export function writeRestAnswer(
  { name, version }: LoadedVersion,
  { id, binaryOutput }: RestQuestion,
  { outputs, prediction }: Inference,
): ScorerAnswer {
  const chunks: Uint8Array[] = [];
  const named = id === null ? '' : `,"id":${JSON.stringify(id)}`;
  let text = `${beginOfAnswer(name)}${version}"${named},"outputs":[`;
  let separator = '';
  for (const output of outputs) {
    text += separator;
    separator = ',';
    if (output.binary ?? binaryOutput) {
      const bytes = writeBinaryTensor(output.tensor);
      chunks.push(bytes);
      text += outputText(output, { binary_data_size: bytes.length }, null);
    } else text += outputText(output, null, flatJson(output.tensor));
  }
  text += ']}';
  if (chunks.length === 0) return { status: 200, contentType: 'application/json', body: text, prediction };
  const headBytes = Buffer.from(text);
  return {
    status: 200,
    contentType: 'application/octet-stream',
    headers: { 'inference-header-content-length': headBytes.length },
    body: Buffer.concat([headBytes, ...chunks]),
    prediction,
  };
}

/** Bounded, because models come and go. */
const rememberedTexts = 256;

const beginOfAnswer = remembering((model) => `{"model_name":${JSON.stringify(model)},"model_version":"`);
const beginOfOutput = remembering((output) => `{"name":${JSON.stringify(output)},"shape":`);

function outputText(
  { name, tensor: { shape, datatype }, labels }: AnsweredOutput,
  more: Readonly<Record<string, number>> | null,
  data: string | null,
): string {
  // Put together by hand: writing objects that are made for it takes several times as long.
  const parameters =
    labels || more
      ? `,"parameters":${JSON.stringify({ ...(labels && { class_labels: classLabelsText(labels) }), ...more })}`
      : '';
  const written = data === null ? '' : `,"data":${data}`;
  return `${beginOfOutput(name)}${integersText(shape)},"datatype":"${datatype}"${parameters}${written}}`;
}

/** Writes the text for a name once, as it is needed again with each request. */
function remembering(write: (name: string) => string): (name: string) => string {
  const texts = new Map<string, string>();
  return (name) => {
    const known = texts.get(name);
    if (known !== undefined) return known;
    if (texts.size >= rememberedTexts) texts.clear();
    const text = write(name);
    texts.set(name, text);
    return text;
  };
}

/** As JSON.stringify writes it, which takes several times as long for the few sizes of a shape. */
function integersText(integers: readonly number[]): string {
  let text = '[';
  for (let index = 0; index < integers.length; index++) {
    text += index === 0 ? integers[index] : `,${integers[index]}`;
  }
  return `${text}]`;
}

/** The parameter `class_labels` of scores by class: a JSON text of the labels, in the order of the columns. */
export function classLabelsText(labels: NonNullable<AnsweredOutput['labels']>): string {
  const texts = labels.map((label) => (typeof label === 'bigint' ? label.toString() : JSON.stringify(label)));
  return `[${texts.join(',')}]`;
}
