import { readFields, readIntegers, readText, type WireField } from './wire.ts';

/**
 * What Slipway needs to know of an ONNX file beyond what the runtime tells. Field numbers are those of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */
export const modelFields = { version: 1, graph: 7 } as const;
export const graphFields = { node: 1, initializer: 5, input: 11, output: 12, sparseInitializer: 15 } as const;
export const valueFields = { name: 1, type: 2 } as const;
export const typeFields = { tensor: 1, sequence: 4, map: 5, sparseTensor: 8, optional: 9 } as const;
export const tensorTypeFields = { elementType: 1, shape: 2 } as const;
const nodeFields = { input: 1, output: 2, operator: 4, attribute: 5 } as const;
const attributeFields = { name: 1, integers: 8, strings: 9 } as const;
const initializerFields = { name: 8 } as const;
const sparseInitializerFields = { values: 1 } as const;

/** What the outputs of a ZipMap stand for: one label for each column of its input. */
export type ClassLabels = readonly (string | bigint)[];

/** A node that turns a tensor of scores into a sequence of maps from class label to score. */
export interface ZipMapNode {
  readonly field: WireField;
  readonly input: string;
  readonly output: string;
  readonly labels: ClassLabels;
}

/** The type of an input or output of a graph, as the file declares it. */
export type ValueType =
  | {
      readonly kind: 'tensor';
      /** ONNX's number of the element type; 0 when the file does not say it. */
      readonly element: number;
      /** False when the file does not even say the rank. */
      readonly hasShape: boolean;
    }
  | { readonly kind: 'sequence' | 'map' | 'sparseTensor' | 'optional' | 'unknown' };

/** An input or output of a graph. */
export interface GraphValue {
  readonly name: string;
  readonly type: ValueType;
  readonly field: WireField;
}

/** The parts of a graph that matter here. */
export interface OnnxGraph {
  /** The version of the file format; 0 when the file does not say it. */
  readonly irVersion: number;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  /** Names of the tensors that lie in the file. */
  readonly initializers: ReadonlySet<string>;
  readonly zipMaps: readonly ZipMapNode[];
  /** What nodes take in: those that make something else of a ZipMap's output need the node. */
  readonly consumed: ReadonlySet<string>;
}

/** @throws Error when the bytes are no ONNX model. */
export function readGraph(model: Uint8Array): OnnxGraph {
  let graph: WireField | null = null;
  let irVersion = 0;
  for (const field of readFields(model)) {
    if (field.number === modelFields.graph) graph = field;
    else if (field.number === modelFields.version) irVersion = Number(field.value);
  }
  if (!graph) throw new Error('it holds no graph');
  const inputs: GraphValue[] = [];
  const outputs: GraphValue[] = [];
  const initializers = new Set<string>();
  const zipMaps: ZipMapNode[] = [];
  const consumed = new Set<string>();
  for (const field of readFields(graph.content)) {
    if (field.number === graphFields.node) {
      const zipMap = readNode(field, consumed);
      if (zipMap) zipMaps.push(zipMap);
    } else if (field.number === graphFields.input) inputs.push(readValue(field));
    else if (field.number === graphFields.output) outputs.push(readValue(field));
    else if (field.number === graphFields.initializer) initializers.add(initializerName(field));
    else if (field.number === graphFields.sparseInitializer) {
      for (const part of readFields(field.content)) {
        if (part.number === sparseInitializerFields.values) initializers.add(initializerName(part));
      }
    }
  }
  return { irVersion, inputs, outputs, initializers, zipMaps, consumed };
}

/** Notes what a node takes in; gives it when it is a ZipMap. */
function readNode(field: WireField, consumed: Set<string>): ZipMapNode | null {
  let input = '';
  let output = '';
  let operator = '';
  const attributes: WireField[] = [];
  for (const part of readFields(field.content)) {
    if (part.number === nodeFields.operator) operator = readText(part);
    else if (part.number === nodeFields.input) {
      input = readText(part);
      consumed.add(input);
    } else if (part.number === nodeFields.output) output = readText(part);
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

function initializerName(initializer: WireField): string {
  for (const part of readFields(initializer.content)) {
    if (part.number === initializerFields.name) return readText(part);
  }
  return '';
}

function readValue(field: WireField): GraphValue {
  let name = '';
  let type: ValueType = { kind: 'unknown' };
  for (const part of readFields(field.content)) {
    if (part.number === valueFields.name) name = readText(part);
    else if (part.number === valueFields.type) type = readType(part);
  }
  return { name, type, field };
}

function readType(type: WireField): ValueType {
  for (const { number, content } of readFields(type.content)) {
    if (number === typeFields.tensor) return readTensorType(content);
    if (number === typeFields.sequence) return { kind: 'sequence' };
    if (number === typeFields.map) return { kind: 'map' };
    if (number === typeFields.sparseTensor) return { kind: 'sparseTensor' };
    if (number === typeFields.optional) return { kind: 'optional' };
  }
  return { kind: 'unknown' };
}

function readTensorType(content: Uint8Array): ValueType {
  let element = 0;
  let hasShape = false;
  for (const part of readFields(content)) {
    if (part.number === tensorTypeFields.elementType) element = Number(part.value);
    else if (part.number === tensorTypeFields.shape) hasShape = true;
  }
  return { kind: 'tensor', element, hasShape };
}
