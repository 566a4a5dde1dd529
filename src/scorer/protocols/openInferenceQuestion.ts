import { absentTensor } from '../../inference/absentTensor.ts';
import { type Datatype, given, type Tensor } from '../../inference/datatypes.ts';
import type { OutputSpecification, TensorSpecification } from '../../inference/model.ts';
import { checkShape, type Predictor, unknownInput } from '../../inference/predictor.ts';
import { badRequest } from '../../inference/problem.ts';
import type { LoadedVersion } from '../modelRepository.ts';
import type { JsonObject } from '../requestBody.ts';
import type { Prediction } from '../routing.ts';
import { classify } from './openInferenceClassification.ts';

/**
 * What the Open Inference Protocol asks a model, in whichever form it came: JSON, JSON with binary tensors, or gRPC.
 */
export interface InferenceQuestion {
  /** Null when the client gives none. */
  readonly id: string | null;
  readonly parameters: JsonObject;
  /** A raw request has one input, whose name and shape only the model knows. */
  inputs(expected: readonly TensorSpecification[]): readonly SentInput[];
  /** In the order of the answer; none asks for all. */
  readonly outputs: readonly OutputWish[];
}

/** A tensor of a request, not yet checked against the model. */
export interface SentInput {
  readonly name: string;
  readonly datatype: unknown;
  readonly shape: unknown;
  /**
   * @param nullable whether null is a value, which only JSON can say.
   * @throws RequestProblem 400 when the data does not fit.
   */
  read(field: string, datatype: Datatype, shape: readonly number[], nullable: boolean): Tensor;
}

/** How a client wants an output. */
export interface OutputWish {
  readonly name: string;
  /** As bytes; null leaves it to what the request says of all outputs. */
  readonly binary: boolean | null;
  /** So many of the highest values of each row with their places and labels, in place of the tensor; 0 is the tensor. */
  readonly classes: number;
}

/** An output as it goes to the client. */
export interface AnsweredOutput {
  readonly name: string;
  readonly tensor: Tensor;
  readonly labels: OutputSpecification['labels'];
  readonly wish: OutputWish;
}

export interface Inference {
  readonly outputs: readonly AnsweredOutput[];
  readonly prediction: Prediction;
}

/**
 * Asks a version.
 *
 * @throws RequestProblem 400, at once or later, when the question does not fit it; later 500 when the model fails.
 */
export function infer({ predictor }: LoadedVersion, question: InferenceQuestion): Promise<Inference> {
  const wishes = wishedOutputs(question.outputs, predictor.outputs);
  const feeds = readFeeds(question.inputs(predictor.inputs), predictor);
  // A function that awaits would cost each request a promise and three turns.
  return predictor.predict(feeds).then((outputs) => {
    const answered: AnsweredOutput[] = [];
    for (const { wish, specification, index } of wishes) {
      const tensor = outputs[index];
      if (tensor) answered.push(answeredOutput(specification, tensor, wish));
    }
    // An empty id names no request, neither in a header nor in a log.
    return { outputs: answered, prediction: { requestId: question.id || null, feeds, outputs } };
  });
}

function answeredOutput(
  { name, labels }: OutputSpecification,
  tensor: Tensor,
  wish: OutputWish,
): AnsweredOutput {
  return wish.classes > 0
    ? { name, tensor: classify(name, tensor, labels, wish.classes), labels: null, wish }
    : { name, tensor, labels, wish };
}

function readFeeds(
  sent: readonly SentInput[],
  model: Pick<Predictor, 'inputs' | 'fixedInputs'>,
): readonly Tensor[] {
  const byName = new Map<string, SentInput>();
  for (const input of sent) {
    if (byName.has(input.name)) throw badRequest(`Input "${input.name}" appears twice.`);
    if (!model.inputs.some(({ name }) => name === input.name)) throw unknownInput(model, input.name);
    byName.set(input.name, input);
  }
  const feeds = model.inputs.map((input) => {
    const tensor = byName.get(input.name);
    if (tensor) return readFeed(tensor, input);
    if (input.optional) return null;
    const names = model.inputs.map(({ name }) => name).join(', ');
    throw badRequest(`Input "${input.name}" is missing. The model's inputs: ${names}.`);
  });
  const rows = feeds.find((feed) => feed !== null)?.shape[0] ?? 1;
  return model.inputs.map((input, index) => feeds[index] ?? absentTensor(input, rows));
}

function readFeed(sent: SentInput, input: TensorSpecification): Tensor {
  const field = `Input "${input.name}"`;
  const { datatype, shape } = sent;
  if (datatype !== input.datatype) {
    throw badRequest(`${field}: expected datatype ${input.datatype}, got ${given(datatype)}.`);
  }
  if (!isShape(shape)) {
    throw badRequest(
      `${field}: "shape" must be a list of integers that are not negative, got ${given(shape)}.`,
    );
  }
  checkShape(input, shape);
  return sent.read(field, input.datatype, shape, input.nullable ?? false);
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

interface WishedOutput {
  readonly wish: OutputWish;
  readonly specification: OutputSpecification;
  readonly index: number;
}

function wishedOutputs(
  wishes: readonly OutputWish[],
  outputs: readonly OutputSpecification[],
): readonly WishedOutput[] {
  if (wishes.length === 0) {
    return outputs.map((specification, index) => {
      const wish = { name: specification.name, binary: null, classes: 0 };
      return { wish, specification, index };
    });
  }
  return wishes.map((wish, place) => {
    const index = outputs.findIndex(({ name }) => name === wish.name);
    const specification = outputs[index];
    if (!specification) {
      const known = outputs.map(({ name }) => name).join(', ');
      throw badRequest(`The model has no output "${wish.name}". Its outputs: ${known}.`);
    }
    if (wishes.findIndex(({ name }) => name === wish.name) !== place) {
      throw badRequest(`Output "${wish.name}" appears twice.`);
    }
    return { wish, specification, index };
  });
}
