import type { IncomingHttpHeaders } from 'node:http';
import { badRequest, RequestProblem } from '../../inference/problem.ts';
import type { ChosenVersion, ModelRepository } from '../modelRepository.ts';
import { infer } from '../protocols/openInferenceQuestion.ts';
import { newRequestId } from '../requestIds.ts';
import type { Prediction } from '../routing.ts';
import type { Outcome } from '../server.ts';
import { type ModelInferRequest, type ModelInferResponse, modelInferRequest } from './inferenceMessages.ts';
import { type GrpcQuestion, readGrpcQuestion } from './inferenceRequest.ts';
import { inferResponse } from './inferenceResponse.ts';

export interface PredictionsOptions {
  readonly models: ModelRepository;
  /** Predictions that may be under way at a time. */
  readonly requests: number;
  /** What a prediction waits for before it is begun; null when it need not. */
  readonly admission: () => Promise<void> | null;
  /** Told of each prediction request that was answered, refused ones included, with statuses of HTTP. */
  readonly predicted: (outcome: Outcome) => void;
  /** Told what failed that should not. */
  readonly unforeseen: (error: unknown) => void;
}

/** What a prediction request came to. */
export interface PredictionAnswer {
  /** Null when the request was refused. */
  readonly response: ModelInferResponse | null;
  readonly problem: RequestProblem | null;
  readonly requestId: string;
  /** What was asked, as far as it could be read. */
  readonly request: ModelInferRequest | null;
  readonly chosen: ChosenVersion | null;
  /** Tells of the outcome; to be called once, when the answer was handed over. */
  answered(): void;
}

/** Answers a prediction request that came over gRPC; it never rejects. */
export type Predictions = (message: Buffer, headers: IncomingHttpHeaders) => Promise<PredictionAnswer>;

export function createPredictions(options: PredictionsOptions): Predictions {
  let underWay = 0;
  return async (message, headers) => {
    const receivedAt = Date.now();
    const started = performance.now();
    let request: ModelInferRequest | null = null;
    let chosen: ChosenVersion | null = null;
    let response: ModelInferResponse | null = null;
    let problem: RequestProblem | null = null;
    let prediction: Prediction | null = null;
    underWay++;
    try {
      if (underWay > options.requests) throw tooManyRequests(options.requests);
      const admission = options.admission();
      if (admission) await admission;
      request = decodeRequest(message);
      const { question, led } = lead(options.models, request, headers, (version) => {
        chosen = version;
      });
      const inference = await infer(led.loaded, question, (told) => told);
      response = inferResponse(led.loaded, question, inference);
      prediction = inference.prediction;
    } catch (error) {
      problem = problemOf(error, options.unforeseen);
    } finally {
      underWay--;
    }
    const requestId = request?.id || newRequestId();
    return {
      response,
      problem,
      requestId,
      request,
      chosen,
      answered() {
        const latencyMicroseconds = Math.round((performance.now() - started) * 1000);
        const status = problem?.status ?? 200;
        options.predicted({ receivedAt, latencyMicroseconds, status, requestId, chosen, prediction });
      },
    };
  };
}

/** What a client is told of an error; what is none of the client's fault goes to `unforeseen`. */
export function problemOf(error: unknown, unforeseen: (error: unknown) => void): RequestProblem {
  if (error instanceof RequestProblem) return error;
  unforeseen(error);
  return new RequestProblem(500, 'The scorer failed; its log has the details.');
}

/** Reads a message of a client. @throws RequestProblem 400 when it is none. */
export function decodeMessage<Value>(
  kind: { readonly decode: (bytes: Buffer) => Value },
  bytes: Buffer,
): Value {
  try {
    return kind.decode(bytes);
  } catch (error) {
    throw badRequest(`The message cannot be read: ${error instanceof Error ? error.message : error}.`);
  }
}

function decodeRequest(bytes: Buffer): ModelInferRequest {
  return decodeMessage(modelInferRequest, bytes);
}

interface LedQuestion {
  readonly question: GrpcQuestion;
  readonly led: ChosenVersion;
}

function lead(
  models: ModelRepository,
  request: ModelInferRequest,
  headers: IncomingHttpHeaders,
  choose: (chosen: ChosenVersion) => void,
): LedQuestion {
  const version = request.model_version === '' ? undefined : request.model_version;
  let question: GrpcQuestion;
  try {
    question = readGrpcQuestion(request);
  } catch (error) {
    // A model that is not there is told first, and a bad request counts against the version that it would have met.
    choose(models.choose(request.model_name, { version }, headers));
    throw error;
  }
  const led = models.choose(request.model_name, { version, parameters: question.parameters }, headers);
  choose(led);
  return { question, led };
}

function tooManyRequests(limit: number): RequestProblem {
  return new RequestProblem(429, `More than ${limit} requests are under way here; try again in a moment.`);
}
