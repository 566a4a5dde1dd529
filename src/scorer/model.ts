import { readFile } from 'node:fs/promises';
import type { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { SlipwayError } from '../protocol/errors.ts';
import type { TensorDescription } from '../protocol/serving.ts';
import { type Datatype, datatypeOf, runtimeTypes, type Tensor } from './datatypes.ts';
import { type ClassLabels, readGraph } from './onnx/graph.ts';
import { removeZipMaps, type UnzippedOutput } from './onnx/zipMapRemoval.ts';
import type { Runtime } from './runtime.ts';

/** An input or output of a loaded model. */
export interface TensorSpecification {
  readonly name: string;
  readonly datatype: Datatype;
  /** -1 stands for a size that may vary; null for a shape of which not even the rank is known. */
  readonly shape: readonly number[] | null;
}

export interface OutputSpecification extends TensorSpecification {
  /** Of an output that was a sequence of maps from class label to score: the label of each column. Else null. */
  readonly labels: ClassLabels | null;
}

/** A model in the runtime's memory. */
export interface Model {
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly OutputSpecification[];
  /** One sentence for each output that had to be left out. */
  readonly warnings: readonly string[];
  /**
   * Computes all outputs from all inputs, both in the order of the specifications. Blocks the thread.
   *
   * @throws Error what the runtime says when it cannot.
   */
  run(feeds: readonly Tensor[]): Promise<readonly Tensor[]>;
  /** Gives the memory back. No run may be under way. */
  close(): Promise<void>;
}

export interface ModelIdentity {
  readonly name: string;
  readonly version: number;
  /** Absolute path of the ONNX file. */
  readonly file: string;
}

/**
 * Loads an ONNX file. Sequences of maps that scikit-learn's classifiers give (ZipMap) become tensors with labels.
 * Other outputs that are no tensors are left out, with a warning, because the runtime cannot hand them out.
 *
 * @throws SlipwayError `modelUnreadable`.
 */
export async function loadModel(runtime: Runtime, identity: ModelIdentity): Promise<Model> {
  try {
    return await load(runtime, identity.file);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new SlipwayError(
      'modelUnreadable',
      { model: identity.name, version: identity.version, detail },
      { cause: error },
    );
  }
}

async function load(runtime: Runtime, file: string): Promise<Model> {
  const bytes = await readFile(file);
  const { unknownRanks } = readGraph(bytes);
  const unzipped = removeZipMaps(bytes);
  // By path where possible, so that weights in files beside the model are found.
  const session = await createSession(runtime, unzipped ? Buffer.from(unzipped.model) : file);
  const inputs = session.inputMetadata.map((metadata): TensorSpecification => {
    const specification = specificationOf(metadata, unknownRanks);
    if (!specification) throw new Error(`its input "${metadata.name}" is no tensor`);
    return specification;
  });
  const sources = unzipped?.outputs ?? session.outputNames.map(directOutput);
  const outputs: OutputSpecification[] = [];
  const fetches: string[] = [];
  const warnings: string[] = [];
  for (const { name, source, labels } of sources) {
    const metadata = session.outputMetadata.find((candidate) => candidate.name === source);
    const specification = metadata && specificationOf(metadata, unknownRanks);
    if (specification) {
      const shape = labels ? [-1, labels.length] : specification.shape;
      outputs.push({ ...specification, name, shape, labels });
      fetches.push(source);
    } else {
      warnings.push(`The output "${name}" of the model is a sequence or a map and is left out of answers.`);
    }
  }
  if (outputs.length === 0) throw new Error('none of its outputs is a tensor');
  return {
    inputs,
    outputs,
    warnings,
    async run(feeds) {
      const fed: Record<string, RuntimeTensor> = {};
      for (const [index, { name }] of inputs.entries()) {
        const feed = feeds[index];
        if (feed) fed[name] = toRuntime(runtime, feed);
      }
      const results = await session.run(fed, fetches);
      return outputs.map(({ datatype }, index) => fromRuntime(results[fetches[index] ?? ''], datatype));
    },
    close: () => session.release(),
  };
}

async function createSession(runtime: Runtime, source: string | Buffer): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    // More threads spin and slow small models down; scale by processes instead.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // What it would write on the standard error is in the errors that it throws.
    logSeverityLevel: 4,
  };
  return typeof source === 'string'
    ? await runtime.InferenceSession.create(source, options)
    : await runtime.InferenceSession.create(source, options);
}

function directOutput(name: string): UnzippedOutput {
  return { name, source: name, labels: null };
}

function specificationOf(
  metadata: InferenceSession.ValueMetadata,
  unknownRanks: ReadonlySet<string>,
): TensorSpecification | null {
  const datatype = metadata.isTensor ? datatypeOf(metadata.type) : null;
  if (!metadata.isTensor || !datatype) return null;
  const shape = metadata.shape.map((size) => (typeof size === 'number' ? size : -1));
  return { name: metadata.name, datatype, shape: unknownRanks.has(metadata.name) ? null : shape };
}

function toRuntime(runtime: Runtime, { datatype, data, shape }: Tensor): RuntimeTensor {
  const type = runtimeTypes[datatype];
  if (type === 'string' && Array.isArray(data)) return new runtime.Tensor(type, data, shape);
  // The constructor is declared once for each type, so a type that is known only at run time needs the cast.
  return new runtime.Tensor(type as 'float32', data as Float32Array, shape);
}

function fromRuntime(value: unknown, datatype: Datatype): Tensor {
  const { data, dims } = value as RuntimeTensor;
  return { datatype, shape: dims, data };
}

/** What the protocols say of an input or output. */
export function describeTensor({ name, datatype, shape }: TensorSpecification): TensorDescription {
  return { name, datatype, shape: shape ?? [-1] };
}
