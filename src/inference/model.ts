import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { type Detail, detail } from '../protocol/errorDetails.ts';
import { SlipwayError } from '../protocol/errors.ts';
import type { TensorDescription } from '../protocol/tensor.ts';
import { type Datatype, datatypeOf, runtimeTypes, type Tensor } from './datatypes.ts';
import { type ModelFact, readFacts } from './onnx/facts.ts';
import { type ClassLabels, type OnnxGraph, readGraph } from './onnx/graph.ts';
import { readModelFile } from './onnx/modelFile.ts';
import { replaceOutputs } from './onnx/outputReplacement.ts';
import { lackOf, plainRuntimeMessage, UnsupportedByRuntime } from './onnx/refusal.ts';
import { isCarried, typeDetail, typeTitle } from './onnx/valueTypes.ts';
import type { Runtime } from './runtime.ts';

/** An input or output of a loaded model. */
export interface TensorSpecification {
  readonly name: string;
  readonly datatype: Datatype;
  /** -1 stands for a size that may vary; null for a shape of which not even the rank is known. */
  readonly shape: readonly number[] | null;
  /** Of an input: whether a client may leave it out. */
  readonly optional?: boolean;
  /** Of an input of BYTES: whether null is a value, which `missingText` stands for. */
  readonly nullable?: boolean;
}

export interface OutputSpecification extends TensorSpecification {
  /** Of an output that was a sequence of maps from class label to score: the label of each column. Else null. */
  readonly labels: ClassLabels | null;
  /** The model gives it without a name, so it has one only where a protocol needs it. */
  readonly unnamed?: boolean;
}

/**
 * What a model is to compute with, in the order of its inputs: tensors, or what gives them when they are needed. A model
 * may ask for them more than once; what it was given last counts.
 */
export type Feeds = readonly Tensor[] | (() => readonly Tensor[]);

/** A model that is ready to run, whoever runs it. */
export interface Model {
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly OutputSpecification[];
  /** Inputs that the file names but that have a value in it, which a client cannot replace. */
  readonly fixedInputs?: readonly string[];
  /** What its file says of itself, such as its opset. */
  readonly facts: readonly ModelFact[];
  /** What the person should know: one sentence for each output that had to be left out, for instance. */
  readonly warnings: readonly (string | Detail)[];
  /**
   * Computes all outputs from all inputs, both in the order of the specifications. An ONNX model blocks the thread.
   *
   * @throws Error what the runtime says when it cannot.
   */
  run(feeds: Feeds): Promise<readonly Tensor[]>;
  /** Gives the memory back. No run may be under way. */
  close(): Promise<void>;
}

export interface ModelIdentity {
  readonly name: string;
  readonly version: number;
  /** Absolute path of the ONNX file. */
  readonly file: string;
}

export interface ModelOptions {
  /** Threads inside one run. More of them spin and slow small models down; scale by processes instead. */
  readonly threads?: number;
  /** Says that nobody wants it any more. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Loads an ONNX file, and what it keeps in files beside it. Sequences of maps that scikit-learn's classifiers give
 * (ZipMap) become tensors with labels. Other outputs that the runtime cannot hand out are left out, with a warning.
 *
 * @throws SlipwayError `modelUnreadable`; `modelUnsupported` when the model needs what the runtime does not have.
 */
export async function loadModel(
  runtime: Runtime,
  { name, version, file }: ModelIdentity,
  { threads = 1, signal }: ModelOptions = {},
): Promise<Model> {
  try {
    return await load(runtime, file, threads, signal);
  } catch (error) {
    const lack = lackOf(error);
    const detail = lack ?? plainRuntimeMessage(error instanceof Error ? error.message : String(error));
    throw new SlipwayError(
      lack === null ? 'modelUnreadable' : 'modelUnsupported',
      { model: name, version, detail },
      { cause: error },
    );
  }
}

async function load(
  runtime: Runtime,
  file: string,
  threads: number,
  signal: AbortSignal | undefined,
): Promise<Model> {
  const bytes = await readModelFile(file);
  // What follows blocks this thread.
  signal?.throwIfAborted();
  const graph = readGraph(bytes);
  checkInputs(graph);
  const replaced = replaceOutputs(bytes, graph);
  const left = replaced.outputs.filter(({ source }) => source === null);
  if (left.length === replaced.outputs.length) {
    throw new UnsupportedByRuntime(`all that it gives is ${typesOf(graph, left)}`);
  }
  const session = await createSession(runtime, file, replaced.model, threads);
  const unknownRanks = new Set(
    [...graph.inputs, ...graph.outputs].flatMap(({ name, type }) =>
      type.kind === 'tensor' && !type.hasShape ? name : [],
    ),
  );
  const inputs = session.inputMetadata.map((metadata) => specificationOf(metadata, unknownRanks));
  const fetches: string[] = [];
  const outputs = replaced.outputs.flatMap(({ name, source, labels }): OutputSpecification[] => {
    const metadata = session.outputMetadata.find((candidate) => candidate.name === source);
    if (!metadata) return [];
    fetches.push(metadata.name);
    const specification = specificationOf(metadata, unknownRanks);
    return [{ ...specification, name, shape: labels ? [-1, labels.length] : specification.shape, labels }];
  });
  const fixedInputs = fixedInputsOf(graph);
  const description = {
    inputs,
    outputs,
    fixedInputs,
    facts: readFacts(bytes),
    warnings: [
      ...left.map((output) => leftWarning(output.name, graph)),
      ...(fixedInputs.length > 0 && graph.irVersion >= overridableSince ? [fixedWarning(fixedInputs)] : []),
    ],
  };
  return modelOf(runtime, session, description, fetches);
}

/**
 * A function of its own, so that what a model keeps does not keep the bytes of its file alive.
 *
 * @param fetches what the runtime calls the outputs.
 */
function modelOf(
  runtime: Runtime,
  session: InferenceSession,
  description: Omit<Model, 'run' | 'close'>,
  fetches: readonly string[],
): Model {
  const { inputs, outputs } = description;
  return {
    ...description,
    async run(feeds) {
      const compute = (fed: Record<string, RuntimeTensor>) => session.run(fed, fetches);
      const results = await (typeof feeds === 'function'
        ? runLate(runtime, inputs, feeds, compute)
        : compute(feed(runtime, inputs, feeds)));
      return outputs.map(({ datatype }, index) => fromRuntime(results[fetches[index] ?? ''], datatype));
    },
    close: () => session.release(),
  };
}

function feed(
  runtime: Runtime,
  inputs: readonly TensorSpecification[],
  tensors: readonly Tensor[],
): Record<string, RuntimeTensor> {
  const fed: Record<string, RuntimeTensor> = {};
  for (let index = 0; index < inputs.length; index++) {
    const input = inputs[index];
    const tensor = tensors[index];
    if (input && tensor) fed[input.name] = toRuntime(runtime, tensor);
  }
  return fed;
}

/**
 * The runtime looks at the feeds when it is asked to run, but computes a turn of the event loop later, and looks at them
 * again then. What they have become takes their place right before it. (Getters would do so, too; but each makes a shape
 * of objects of its own in the engine, which keeps alive what it gives until the next full collection.)
 */
async function runLate(
  runtime: Runtime,
  inputs: readonly TensorSpecification[],
  feeds: () => readonly Tensor[],
  run: (fed: Record<string, RuntimeTensor>) => Promise<InferenceSession.ReturnType>,
): Promise<InferenceSession.ReturnType> {
  const first = feeds();
  const fed = feed(runtime, inputs, first);
  const renewed = nextTurn().then(() => {
    const latest = feeds();
    if (latest !== first) Object.assign(fed, feed(runtime, inputs, latest));
  });
  const [results] = await Promise.all([run(fed), renewed]);
  return results;
}

function leftWarning(name: string, { outputs }: OnnxGraph): Detail {
  const type = outputs.find((output) => output.name === name)?.type ?? { kind: 'unknown' };
  return detail('outputLeftOut', { name, type: typeDetail(type) });
}

/** Before this version of the file format all weights had to be declared as inputs, so it means nothing. */
const overridableSince = 4;

function fixedInputsOf({ inputs, initializers }: OnnxGraph): readonly string[] {
  return inputs.flatMap(({ name }) => (initializers.has(name) ? name : []));
}

function fixedWarning(names: readonly string[]): Detail {
  return detail('inputsFixed', { inputs: names.map((name) => `"${name}"`) });
}

/** @throws UnsupportedByRuntime when the model must be fed what the runtime cannot take. */
function checkInputs({ inputs, initializers }: OnnxGraph): void {
  for (const { name, type } of inputs) {
    if (initializers.has(name) || isCarried(type)) continue;
    throw new UnsupportedByRuntime(`its input "${name}" is ${typeTitle(type)}`);
  }
}

function typesOf({ outputs }: OnnxGraph, some: readonly { readonly name: string }[]): string {
  const types = some.flatMap(({ name }) => outputs.find((output) => output.name === name)?.type ?? []);
  return [...new Set(types.map(typeTitle))].join(' and ');
}

/** @param changed the model in place of what the file holds; null takes the file. */
async function createSession(
  runtime: Runtime,
  file: string,
  changed: Uint8Array | null,
  threads: number,
): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // What it would write on the standard error is in the errors that it throws.
    logSeverityLevel: 4,
  };
  if (!changed) return await runtime.InferenceSession.create(file, options);
  return await runtime.InferenceSession.create(changed, {
    ...options,
    // Where to look for weights in files of their own, which otherwise lie beside the file that is loaded.
    extra: { session: { model_external_initializers_file_folder_path: dirname(file) } },
  });
}

/** @throws UnsupportedByRuntime when it is no tensor, or one of elements that no protocol carries. */
function specificationOf(
  metadata: InferenceSession.ValueMetadata,
  unknownRanks: ReadonlySet<string>,
): TensorSpecification {
  const { name } = metadata;
  if (!metadata.isTensor) throw new UnsupportedByRuntime(`"${name}" is no tensor`);
  const datatype = datatypeOf(metadata.type);
  if (!datatype) throw new UnsupportedByRuntime(`"${name}" is a tensor of ${metadata.type}`);
  const shape = metadata.shape.map((size) => (typeof size === 'number' ? size : -1));
  return { name, datatype, shape: unknownRanks.has(name) ? null : shape };
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
