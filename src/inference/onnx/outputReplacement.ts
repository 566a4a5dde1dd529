import {
  type ClassLabels,
  type GraphValue,
  graphFields,
  modelFields,
  type OnnxGraph,
  tensorTypeFields,
  typeFields,
  valueFields,
  type ZipMapNode,
} from './graph.ts';
import { isCarried } from './valueTypes.ts';
import { joinBytes, readFields, writeField, writeInteger } from './wire.ts';

/** An output of the model as it was, and where its values are found in the model as it became. */
export interface ReplacedOutput {
  readonly name: string;
  /** Null when the runtime for Node.js cannot hand it out. */
  readonly source: string | null;
  /** Of an output that was a sequence of maps: the label of each column of its source. Else null. */
  readonly labels: ClassLabels | null;
}

export interface ModelWithReplacedOutputs {
  /** Null when the file can be taken as it is. */
  readonly model: Uint8Array | null;
  /** All outputs, in the order that the model has them. */
  readonly outputs: readonly ReplacedOutput[];
}

const floatElement = 1;

/**
 * Makes a model that only gives what the runtime for Node.js can hand out. Outputs that a ZipMap made, which are
 * sequences of maps, give way to the tensor of scores that went into it; other outputs that are no tensors, and
 * tensors of element types that the runtime does not carry, are left out.
 */
export function replaceOutputs(model: Uint8Array, graph: OnnxGraph): ModelWithReplacedOutputs {
  const outputs = graph.outputs.map(({ name, type }): ReplacedOutput => {
    const zipMap = graph.zipMaps.find((candidate) => candidate.output === name);
    if (zipMap) return { name, source: zipMap.input, labels: zipMap.labels };
    return { name, source: isCarried(type) ? name : null, labels: null };
  });
  if (outputs.every(({ name, source }) => name === source)) return { model: null, outputs };
  const unneeded = graph.zipMaps.filter(
    ({ output }) => outputs.some(({ name }) => name === output) && !graph.consumed.has(output),
  );
  const parts = [...readFields(model)].map((field) =>
    field.number === modelFields.graph
      ? writeField(modelFields.graph, rewriteGraph(field.content, graph.outputs, outputs, unneeded))
      : field.bytes,
  );
  return { model: joinBytes(parts), outputs };
}

function rewriteGraph(
  content: Uint8Array,
  declared: readonly GraphValue[],
  outputs: readonly ReplacedOutput[],
  unneeded: readonly ZipMapNode[],
): Uint8Array {
  const nodes = new Set(unneeded.map(({ field }) => field.bytes.byteOffset));
  const kept = [...readFields(content)].filter(
    ({ number, bytes }) =>
      number !== graphFields.output && !(number === graphFields.node && nodes.has(bytes.byteOffset)),
  );
  const written = new Set<string>();
  const values = outputs.flatMap(({ name, source }, index): Uint8Array[] => {
    if (source === null || written.has(source)) return [];
    written.add(source);
    const same = name === source ? declared[index] : declared.find((value) => value.name === source);
    return [same?.field.bytes ?? scoresOutput(source)];
  });
  return joinBytes([...kept.map(({ bytes }) => bytes), ...values]);
}

/** A graph output of floats. Its shape is left out: the runtime infers it. */
function scoresOutput(name: string): Uint8Array {
  const tensor = writeInteger(tensorTypeFields.elementType, floatElement);
  const type = writeField(typeFields.tensor, tensor);
  return writeField(
    graphFields.output,
    joinBytes([writeField(valueFields.name, name), writeField(valueFields.type, type)]),
  );
}
