import { readFields, readIntegers, readText, type WireField } from './wire.ts';

/**
 * What Slipway needs to know of an ONNX file beyond what the runtime tells. Field numbers are those of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */
export const modelFields = { graph: 7 } as const;
export const graphFields = { node: 1, input: 11, output: 12 } as const;
export const nodeFields = { input: 1, output: 2, operator: 4, attribute: 5 } as const;
export const attributeFields = { name: 1, integers: 8, strings: 9 } as const;
export const valueFields = { name: 1, type: 2 } as const;
export const typeFields = { tensor: 1 } as const;
export const tensorFields = { elementType: 1, shape: 2 } as const;

/** What the outputs of a ZipMap stand for: one label for each column of its input. */
export type ClassLabels = readonly (string | bigint)[];

/** A node that turns a tensor of scores into a sequence of maps from class label to score. */
export interface ZipMapNode {
  readonly field: WireField;
  readonly input: string;
  readonly output: string;
  readonly labels: ClassLabels;
}

/** The parts of a graph that matter here. */
export interface OnnxGraph {
  readonly zipMaps: readonly ZipMapNode[];
  /** Inputs and outputs that are tensors of which the file does not even say the rank. */
  readonly unknownRanks: ReadonlySet<string>;
}

/** @throws Error when the bytes are no ONNX model. */
export function readGraph(model: Uint8Array): OnnxGraph {
  const graph = [...readFields(model)].find((field) => field.number === modelFields.graph);
  if (!graph) throw new Error('it holds no graph');
  const zipMaps: ZipMapNode[] = [];
  const unknownRanks = new Set<string>();
  for (const field of readFields(graph.content)) {
    if (field.number === graphFields.node) {
      const zipMap = readZipMap(field);
      if (zipMap) zipMaps.push(zipMap);
    } else if (field.number === graphFields.input || field.number === graphFields.output) {
      const name = nameWithoutRank(field);
      if (name !== null) unknownRanks.add(name);
    }
  }
  return { zipMaps, unknownRanks };
}

function readZipMap(field: WireField): ZipMapNode | null {
  let input = '';
  let output = '';
  let operator = '';
  const attributes: WireField[] = [];
  for (const part of readFields(field.content)) {
    if (part.number === nodeFields.operator) operator = readText(part);
    else if (part.number === nodeFields.input) input = readText(part);
    else if (part.number === nodeFields.output) output = readText(part);
    else if (part.number === nodeFields.attribute) attributes.push(part);
  }
  if (operator !== 'ZipMap') return null;
  return { field, input, output, labels: attributes.flatMap(readLabels) };
}

function readLabels(attribute: WireField): ClassLabels {
  const labels: (string | bigint)[] = [];
  let name = '';
  for (const part of readFields(attribute.content)) {
    if (part.number === attributeFields.name) name = readText(part);
    else if (part.number === attributeFields.integers) labels.push(...readIntegers(part));
    else if (part.number === attributeFields.strings) labels.push(readText(part));
  }
  return name === 'classlabels_int64s' || name === 'classlabels_strings' ? labels : [];
}

/** The name of a graph's input or output when it is a tensor without a shape, else null. */
function nameWithoutRank(value: WireField): string | null {
  let name = '';
  let tensor: WireField | undefined;
  for (const part of readFields(value.content)) {
    if (part.number === valueFields.name) name = readText(part);
    else if (part.number === valueFields.type) {
      tensor = [...readFields(part.content)].find((type) => type.number === typeFields.tensor);
    }
  }
  if (!tensor) return null;
  const hasShape = [...readFields(tensor.content)].some((part) => part.number === tensorFields.shape);
  return hasShape ? null : name;
}
