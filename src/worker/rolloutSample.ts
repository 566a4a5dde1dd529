import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../protocol/errors.ts';
import { createInferenceLogReader } from '../protocol/inferenceLogReader.ts';
import { feedbackTable, shadowVariant } from '../protocol/inferenceLogTables.ts';
import type { RolloutSample, WorkerJobOf } from '../protocol/worker.ts';
import { momentsOf, noMoments } from '../statistics/moments.ts';
import { largestDrift } from './rolloutDrift.ts';
import { type Labelled, qualityOf } from './rolloutQuality.ts';

type SampleJob = WorkerJobOf<'rolloutSample'>;

/** So many of the latest requests are looked at. */
const requestLimit = 100_000;
/** Of each version so many requests give their predictions to the comparison of distributions. */
const driftRequestLimit = 5_000;
const driftRowLimit = 20_000;
/** So many of the latest labels and rewards are looked at. */
const feedbackLimit = 100_000;

/** What both versions answered, as columns of the outputs. */
interface Arm {
  readonly outputs: Record<string, unknown>[];
  rows: number;
  readonly labelled: Labelled[];
  readonly rewards: number[];
}

/**
 * Looks into an inference log, which its scorer may be writing to at the same time, for what the checks of a rollout
 * need: the predictions of both versions, and the labels and rewards that clients told since. Of several labels or
 * rewards of a request the last one counts. A reward belongs to the version that answered the client; a label judges
 * the answer of a shadow, too.
 *
 * Without a log, or without requests in it, the sample is empty.
 *
 * @throws SlipwayError `dataUnreadable` when the log cannot be read.
 */
export async function takeRolloutSample(job: SampleJob): Promise<RolloutSample> {
  if (!existsSync(job.inferenceLog)) {
    return { drift: null, quality: null, rewards: { candidate: noMoments, stable: noMoments } };
  }
  try {
    const log = new BetterSqlite3(job.inferenceLog, { readonly: true, fileMustExist: true, timeout: 20_000 });
    try {
      return await read(log, job);
    } finally {
      log.close();
    }
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('dataUnreadable', { path: job.inferenceLog, detail }, { cause: error });
  }
}

async function read(log: BetterSqlite3.Database, job: SampleJob): Promise<RolloutSample> {
  const candidate: Arm = { outputs: [], rows: 0, labelled: [], rewards: [] };
  const stable: Arm = { outputs: [], rows: 0, labelled: [], rewards: [] };
  const { truths, rewards } = readFeedback(log, job.from);
  const candidateVariant = job.shadow ? shadowVariant : 'candidate';
  let looked = 0;
  let count = 0;
  for (const request of createInferenceLogReader(log).newestFirst({ from: job.from })) {
    looked += 1;
    // Lets the process see that its parent is gone.
    if (looked % 1000 === 0) await setImmediate();
    const { requestId, model, version, variant, status, rowCount } = request;
    if (model !== job.model || status >= 400 || rowCount === 0) continue;
    count += 1;
    if (count > requestLimit) break;
    const arm =
      version === job.candidateVersion && variant === candidateVariant
        ? candidate
        : version === job.stableVersion && variant === 'stable'
          ? stable
          : null;
    if (arm === null) continue;
    const truth = truths.get(requestId);
    const isCompared = arm.outputs.length < driftRequestLimit && arm.rows < driftRowLimit;
    if (isCompared || truth !== undefined) {
      const outputs = parseObject(request.text('outputs'));
      if (outputs !== null && isCompared) {
        arm.outputs.push(outputs);
        arm.rows += rowCount;
      }
      if (outputs !== null && truth !== undefined) arm.labelled.push({ outputs, truth });
    }
    const reward = variant === shadowVariant ? undefined : rewards.get(requestId);
    if (reward !== undefined) arm.rewards.push(reward);
  }
  return {
    drift: largestDrift(candidate.outputs, stable.outputs),
    quality: qualityOf(candidate.labelled, stable.labelled),
    rewards: { candidate: momentsOf(candidate.rewards), stable: momentsOf(stable.rewards) },
  };
}

/** What clients told of their requests since a moment, by request. */
function readFeedback(log: BetterSqlite3.Database, from: number) {
  const truths = new Map<string, readonly unknown[]>();
  const rewards = new Map<string, number>();
  const hasFeedback = log.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(feedbackTable);
  if (hasFeedback === undefined) return { truths, rewards };
  const rows = log
    .prepare<[number, number], { requestId: string; truth: string | null; reward: number | null }>(
      `SELECT request_id AS requestId, truth, reward FROM ${feedbackTable}
       WHERE received_at >= ? ORDER BY received_at DESC, id DESC LIMIT ?`,
    )
    .all(from, feedbackLimit);
  for (const { requestId, truth, reward } of rows) {
    if (reward !== null && !rewards.has(requestId)) rewards.set(requestId, reward);
    if (truth === null || truths.has(requestId)) continue;
    const values: unknown = JSON.parse(truth);
    truths.set(requestId, Array.isArray(values) ? values : [values]);
  }
  return { truths, rewards };
}

function parseObject(json: string | null): Record<string, unknown> | null {
  if (!json) return null;
  const parsed: unknown = JSON.parse(json);
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null;
}
