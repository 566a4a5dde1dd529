import {
  type ClassLabels,
  graphFields,
  modelFields,
  readGraph,
  tensorFields,
  typeFields,
  valueFields,
  type ZipMapNode,
} from './graph.ts';
import { joinBytes, readFields, readText, type WireField, writeField, writeInteger } from './wire.ts';

/** An output of the model as it was, and where its values are found in the model as it became. */
export interface UnzippedOutput {
  readonly name: string;
  readonly source: string;
  /** Of an output that was a sequence of maps: the label of each column of its source. Else null. */
  readonly labels: ClassLabels | null;
}

export interface UnzippedModel {
  readonly model: Uint8Array;
  /** All outputs, in the order that the model has them. */
  readonly outputs: readonly UnzippedOutput[];
}

const floatElement = 1;

/**
 * Takes the ZipMap nodes out of a model, because the runtime for Node.js cannot hand out sequences of maps. Each
 * output that a ZipMap made gives way to the tensor of scores that went into it. Null when there is nothing to do.
 *
 * @throws Error when the bytes are no ONNX model.
 */
export function removeZipMaps(model: Uint8Array): UnzippedModel | null {
  const outputNames = graphOutputs(model);
  const zipMaps = readGraph(model).zipMaps.filter((zipMap) => outputNames.includes(zipMap.output));
  if (zipMaps.length === 0) return null;
  const parts = [...readFields(model)].map((field) =>
    field.number === modelFields.graph
      ? writeField(modelFields.graph, withoutZipMaps(field.content, zipMaps))
      : field.bytes,
  );
  return {
    model: joinBytes(parts),
    outputs: outputNames.map((name) => {
      const zipMap = zipMaps.find((candidate) => candidate.output === name);
      return { name, source: zipMap?.input ?? name, labels: zipMap?.labels ?? null };
    }),
  };
}

function graphOutputs(model: Uint8Array): readonly string[] {
  return [...readFields(model)]
    .filter((field) => field.number === modelFields.graph)
    .flatMap((graph) => [...readFields(graph.content)])
    .filter((field) => field.number === graphFields.output)
    .map(valueName);
}

function withoutZipMaps(graph: Uint8Array, zipMaps: readonly ZipMapNode[]): Uint8Array {
  const fields = [...readFields(graph)];
  const nodes = new Set(zipMaps.map((zipMap) => zipMap.field.bytes.byteOffset));
  const written = new Set(
    fields.filter((field) => field.number === graphFields.output).map((field) => valueName(field)),
  );
  const parts = fields.flatMap((field): Uint8Array[] => {
    if (field.number === graphFields.node && nodes.has(field.bytes.byteOffset)) return [];
    if (field.number !== graphFields.output) return [field.bytes];
    const zipMap = zipMaps.find((candidate) => candidate.output === valueName(field));
    if (!zipMap) return [field.bytes];
    if (written.has(zipMap.input)) return [];
    written.add(zipMap.input);
    return [scoresOutput(zipMap.input)];
  });
  return joinBytes(parts);
}

/** A graph output of floats. Its shape is left out: the runtime infers it. */
function scoresOutput(name: string): Uint8Array {
  const tensor = writeInteger(tensorFields.elementType, floatElement);
  const type = writeField(typeFields.tensor, tensor);
  return writeField(
    graphFields.output,
    joinBytes([writeField(valueFields.name, name), writeField(valueFields.type, type)]),
  );
}

function valueName(value: WireField): string {
  for (const part of readFields(value.content)) if (part.number === valueFields.name) return readText(part);
  return '';
}
