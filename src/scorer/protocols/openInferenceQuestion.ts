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
  /** As `OutputWish` has it. */
  readonly binary: boolean | null;
}

export interface Inference {
  readonly outputs: readonly AnsweredOutput[];
  readonly prediction: Prediction;
}

/**
 * Asks a version, and makes an answer of what it tells.
 *
 * @throws RequestProblem 400, at once or later, when the question does not fit it; later 500 when the model fails.
 */
export function infer<Answer>(
  { predictor }: LoadedVersion,
  question: InferenceQuestion,
  answer: (inference: Inference) => Answer,
): Promise<Answer> {
  const wishes = wishedOutputs(question.outputs, predictor.outputs);
  const feeds = readFeeds(question.inputs(predictor.inputs), predictor);
  // A function that awaits would cost each request a promise and three turns.
  return predictor.predict(feeds).then((outputs) => {
    // An empty id names no request, neither in a header nor in a log.
    const prediction = { requestId: question.id || null, feeds, outputs };
    return answer({ outputs: answeredOutputs(wishes, predictor.outputs, outputs), prediction });
  });
}

function answeredOutputs(
  wishes: readonly WishedOutput[] | null,
  specifications: readonly OutputSpecification[],
  outputs: readonly Tensor[],
): readonly AnsweredOutput[] {
  const answered: AnsweredOutput[] = [];
  if (wishes) {
    for (const { wish, specification, index } of wishes) {
      const tensor = outputs[index];
      if (tensor) answered.push(answeredOutput(specification, tensor, wish));
    }
    return answered;
  }
  for (let index = 0; index < specifications.length; index++) {
    const specification = specifications[index];
    const tensor = outputs[index];
    if (specification && tensor) answered.push(answeredOutput(specification, tensor, null));
  }
  return answered;
}

function answeredOutput(
  { name, labels }: OutputSpecification,
  tensor: Tensor,
  wish: OutputWish | null,
): AnsweredOutput {
  if (!wish) return { name, tensor, labels, binary: null };
  const { binary, classes } = wish;
  return classes > 0
    ? { name, tensor: classify(name, tensor, labels, classes), labels: null, binary }
    : { name, tensor, labels, binary };
}

function readFeeds(
  sent: readonly SentInput[],
  model: Pick<Predictor, 'inputs' | 'fixedInputs'>,
): readonly Tensor[] {
  // Most clients send what the model takes, in its order.
  const byName = isInOrder(sent, model.inputs) ? null : inputsByName(sent, model);
  const feeds = model.inputs.map((input, index) => {
    const tensor = byName ? byName.get(input.name) : sent[index];
    if (tensor) return readFeed(tensor, input);
    if (input.optional) return null;
    const names = model.inputs.map(({ name }) => name).join(', ');
    throw badRequest(`Input "${input.name}" is missing. The model's inputs: ${names}.`);
  });
  const rows = feeds.find((feed) => feed !== null)?.shape[0] ?? 1;
  return model.inputs.map((input, index) => feeds[index] ?? absentTensor(input, rows));
}

function inputsByName(
  sent: readonly SentInput[],
  model: Pick<Predictor, 'inputs' | 'fixedInputs'>,
): ReadonlyMap<string, SentInput> {
  const byName = new Map<string, SentInput>();
  for (const input of sent) {
    if (byName.has(input.name)) throw badRequest(`Input "${input.name}" appears twice.`);
    if (!model.inputs.some(({ name }) => name === input.name)) throw unknownInput(model, input.name);
    byName.set(input.name, input);
  }
  return byName;
}

function isInOrder(sent: readonly SentInput[], inputs: readonly TensorSpecification[]): boolean {
  if (sent.length !== inputs.length) return false;
  for (let index = 0; index < sent.length; index++) {
    if (sent[index]?.name !== inputs[index]?.name) return false;
  }
  return true;
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

/** Null where all are wanted as they are. */
function wishedOutputs(
  wishes: readonly OutputWish[],
  outputs: readonly OutputSpecification[],
): readonly WishedOutput[] | null {
  if (wishes.length === 0) return null;
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
