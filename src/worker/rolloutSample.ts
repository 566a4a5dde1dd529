import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../protocol/errors.ts';
import { createLoggedValuesReader, type StoredValues } from '../protocol/loggedValues.ts';
import { feedbackTable, inferenceLogTable, shadowVariant } from '../protocol/scorer.ts';
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

interface RequestRow {
  readonly id: number;
  readonly requestId: string;
  readonly version: number;
  readonly variant: string;
  readonly rowCount: number;
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
  const reader = createLoggedValuesReader(log);
  const valuesOf = log.prepare<[number], StoredValues>(
    `SELECT ${reader.columns} FROM ${inferenceLogTable} WHERE id = ?`,
  );
  // What lies before inputs and outputs in a row is read without them; by time, as that order has an index.
  const requests = log
    .prepare<[number, string, number], RequestRow>(
      `SELECT id, request_id AS requestId, model_version AS version, variant, row_count AS rowCount
       FROM ${inferenceLogTable}
       WHERE received_at >= ? AND model_name = ? AND status < 400 AND row_count > 0
       ORDER BY received_at DESC, id DESC LIMIT ?`,
    )
    .all(job.from, job.model, requestLimit);
  let count = 0;
  for (const { id, requestId, version, variant, rowCount } of requests) {
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
      const stored = valuesOf.get(id);
      const outputs = stored ? parseObject(reader.text(stored, 'outputs')) : null;
      if (outputs !== null && isCompared) {
        arm.outputs.push(outputs);
        arm.rows += rowCount;
      }
      if (outputs !== null && truth !== undefined) arm.labelled.push({ outputs, truth });
    }
    const reward = variant === shadowVariant ? undefined : rewards.get(requestId);
    if (reward !== undefined) arm.rewards.push(reward);
    count += 1;
    // Lets the process see that its parent is gone.
    if (count % 1000 === 0) await setImmediate();
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
