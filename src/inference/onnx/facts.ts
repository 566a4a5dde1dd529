import { modelFields } from './graph.ts';
import { readFields, readText, type WireField } from './wire.ts';

/** Something that a model says of itself, to be shown as `name: value`. */
export interface ModelFact {
  readonly name: string;
  readonly value: string;
}

const headFields = {
  irVersion: 1,
  producer: 2,
  producerVersion: 3,
  domain: 4,
  modelVersion: 5,
  description: 6,
  opset: 8,
  metadata: 14,
} as const;
const headNumbers: ReadonlySet<number> = new Set(Object.values(headFields));
/** The others are texts, which writers also give when they are empty. */
const wholeNumbers: readonly number[] = [headFields.irVersion, headFields.modelVersion];
const graphHeadFields = { name: 2, description: 10 } as const;
const opsetFields = { domain: 1, version: 2 } as const;
const entryFields = { key: 1, value: 2 } as const;

const longestValue = 200;
const mostMetadata = 50;

/**
 * What an ONNX file says of itself: the operator sets that it needs, the version of the format, who made it, and its
 * metadata, in this order. Long texts are shortened. Field numbers:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 *
 * @throws Error when the bytes are no ONNX model.
 */
export function readFacts(model: Uint8Array): readonly ModelFact[] {
  const texts = new Map<number, string>();
  // Some writers import the operators of ONNX under both of its names.
  const opsets = new Set<string>();
  const metadata: ModelFact[] = [];
  let graph: ReadonlyMap<number, string> = new Map();
  for (const field of readFields(model)) {
    if (field.number === modelFields.graph) graph = readTexts(field.content, Object.values(graphHeadFields));
    else if (field.number === headFields.opset) opsets.add(readOpset(field));
    else if (field.number === headFields.metadata) {
      const entry = readTexts(field.content, Object.values(entryFields));
      metadata.push({
        name: `metadata ${entry.get(entryFields.key) ?? ''}`,
        value: entry.get(entryFields.value) ?? '',
      });
    } else if (headNumbers.has(field.number)) {
      texts.set(field.number, wholeNumbers.includes(field.number) ? field.value.toString() : readText(field));
    }
  }
  const producer = [texts.get(headFields.producer), texts.get(headFields.producerVersion)];
  const modelVersion = texts.get(headFields.modelVersion) ?? '0';
  const facts: ModelFact[] = [
    { name: 'opset', value: [...opsets].join(', ') },
    { name: 'IR version', value: texts.get(headFields.irVersion) ?? '' },
    { name: 'producer', value: producer.filter(Boolean).join(' ') },
    { name: 'domain', value: texts.get(headFields.domain) ?? '' },
    // 0 is what a writer gives that has no versions.
    { name: 'model version', value: modelVersion === '0' ? '' : modelVersion },
    { name: 'graph', value: graph.get(graphHeadFields.name) ?? '' },
    {
      name: 'description',
      value: texts.get(headFields.description) || (graph.get(graphHeadFields.description) ?? ''),
    },
    ...metadata.slice(0, mostMetadata),
  ];
  return facts
    .map(({ name, value }) => ({ name: shorten(name), value: shorten(value) }))
    .filter(({ value }) => value !== '');
}

function readOpset(field: WireField): string {
  let domain = '';
  let version = '';
  for (const part of readFields(field.content)) {
    if (part.number === opsetFields.domain) domain = readText(part);
    else if (part.number === opsetFields.version) version = part.value.toString();
  }
  return `${domain || 'ai.onnx'} ${version}`;
}

/** The text fields of a message that have one of these numbers. */
function readTexts(message: Uint8Array, numbers: readonly number[]): ReadonlyMap<number, string> {
  const texts = new Map<number, string>();
  for (const field of readFields(message)) {
    if (numbers.includes(field.number)) texts.set(field.number, readText(field));
  }
  return texts;
}

/** On one line. */
function shorten(text: string): string {
  const line = text
    .slice(0, 4 * longestValue)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > longestValue ? `${line.slice(0, longestValue - 1)}…` : line;
}
