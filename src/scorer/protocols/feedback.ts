import { given } from '../../inference/datatypes.ts';
import { badRequest, RequestProblem } from '../../inference/problem.ts';
import type { LoggedFeedback } from '../logEntries.ts';
import { readPythonJson } from '../pythonJson.ts';
import { isJsonObject } from '../requestBody.ts';
import { json, type Protocol, type Route, type ScorerAnswer } from '../routing.ts';

/** Where feedback goes: the inference log of the endpoint. */
export interface FeedbackSink {
  /** Keeps it for the next flush. */
  addFeedback(feedback: LoggedFeedback): void;
}

const longestRequestId = 256;

/**
 * What clients tell later of a request that was answered: `POST /v2/feedback`, an address of Slipway's own beside
 * those of the Open Inference Protocol.
 *
 *     {"request_id": "...", "truth": [...], "reward": 1.5}
 *
 * or a list of such objects. `request_id` is what the header `x-request-id` of the answer said. `truth` is the true
 * outcome, one element for each row of the request; `reward` a finite number that is larger the better the answer was;
 * one of them is needed. Answers 202 and how many were taken, 400 and keeps nothing when one of them is malformed, and
 * 503 when the endpoint keeps no log. Whether a request of that id was answered is not asked: its row may not be
 * written yet.
 */
export function feedback(sink: FeedbackSink | null): Protocol {
  const route: Route = {
    POST: ({ body }) => answerFeedback(body, sink),
    open: false,
    predicts: false,
  };
  const isHere = (path: readonly string[]) => path.length === 2 && path[0] === 'v2' && path[1] === 'feedback';
  return {
    find: (path) => (isHere(path) ? route : null),
    owns: isHere,
    nothingAt: (path) => `There is nothing at /${path.join('/')}.`,
    problem: ({ status, message }) => json(status, JSON.stringify({ error: message })),
  };
}

function answerFeedback(body: Buffer, sink: FeedbackSink | null): ScorerAnswer {
  const parsed = readPythonJson(body);
  const receivedAt = Date.now();
  const entries = Array.isArray(parsed) ? parsed : [parsed];
  const told = entries.map((entry, index) =>
    readFeedback(entry, receivedAt, Array.isArray(parsed) ? `Feedback ${index}` : 'The feedback'),
  );
  if (!sink) throw new RequestProblem(503, 'This endpoint keeps no inference log, so feedback has no place.');
  for (const entry of told) sink.addFeedback(entry);
  return json(202, JSON.stringify({ accepted: told.length }));
}

function readFeedback(entry: unknown, receivedAt: number, what: string): LoggedFeedback {
  if (!isJsonObject(entry)) throw badRequest(`${what} must be an object, got ${given(entry)}.`);
  const { request_id: requestId, truth, reward } = entry;
  if (typeof requestId !== 'string' || requestId === '' || requestId.length > longestRequestId) {
    throw badRequest(
      `${what}: "request_id" must be a string of 1 to ${longestRequestId} characters, got ${given(requestId)}.`,
    );
  }
  const unknown = Object.keys(entry).find((key) => !['request_id', 'truth', 'reward'].includes(key));
  if (unknown !== undefined) throw badRequest(`${what}: "${unknown.slice(0, 60)}" is not understood.`);
  const hasReward = reward !== undefined && reward !== null;
  if (hasReward && !(typeof reward === 'number' && Number.isFinite(reward))) {
    throw badRequest(`${what}: "reward" must be a finite number, got ${given(reward)}.`);
  }
  const hasTruth = truth !== undefined && truth !== null;
  if (hasTruth && !Array.isArray(truth)) {
    throw badRequest(`${what}: "truth" must be a list with one element for each row, got ${given(truth)}.`);
  }
  if (!hasTruth && !hasReward) throw badRequest(`${what} has neither "truth" nor "reward".`);
  return {
    requestId,
    receivedAt,
    truth: hasTruth ? JSON.stringify(truth) : null,
    reward: typeof reward === 'number' ? reward : null,
  };
}
