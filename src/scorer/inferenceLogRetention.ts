import type { Database } from 'better-sqlite3';
import type { InferenceLogOptions } from '../protocol/scorer.ts';

/** Deletes what an inference log is not to keep any longer. */
export interface LogRetention {
  /**
   * Deletes a bounded number of the oldest requests, so that nobody waits long for it; called after each flush, it
   * deletes faster than requests come.
   *
   * @param now UTC milliseconds.
   */
  apply(now: number): void;
}

/** How often the age and the size are looked at while nothing was over the limit. */
const intervalMilliseconds = 5_000;
const deletedAtOnce = 20_000;

export function createLogRetention(
  connection: Database,
  { keepMilliseconds, keepBytes }: Pick<InferenceLogOptions, 'keepMilliseconds' | 'keepBytes'>,
): LogRetention {
  // By id, as the order of arrival: deleting by the index of times would read all of it.
  const old = connection.prepare(
    `DELETE FROM requests WHERE id IN (
       SELECT id FROM (SELECT id, received_at FROM requests ORDER BY id LIMIT ${deletedAtOnce}) WHERE received_at < ?)`,
  );
  const oldFeedback = connection.prepare(
    `DELETE FROM feedback WHERE id IN (SELECT id FROM feedback WHERE received_at < ? LIMIT ${deletedAtOnce})`,
  );
  const oldest = connection.prepare(
    'DELETE FROM requests WHERE id IN (SELECT id FROM requests ORDER BY id LIMIT ?)',
  );
  const oldestFeedback = connection.prepare(
    'DELETE FROM feedback WHERE id IN (SELECT id FROM feedback ORDER BY id LIMIT ?)',
  );
  const count = connection.prepare('SELECT max(id) - min(id) + 1 AS rows FROM requests').pluck();
  const feedbackCount = connection.prepare('SELECT max(id) - min(id) + 1 AS rows FROM feedback').pluck();
  const page = Number(connection.pragma('page_size', { simple: true }));
  const usedBytes = () =>
    (Number(connection.pragma('page_count', { simple: true })) -
      Number(connection.pragma('freelist_count', { simple: true }))) *
    page;
  let next = 0;
  return {
    apply(now) {
      if (now < next) return;
      next = now + intervalMilliseconds;
      if (keepMilliseconds !== null) {
        const { changes } = old.run(now - keepMilliseconds);
        oldFeedback.run(now - keepMilliseconds);
        if (changes >= deletedAtOnce) next = now;
      }
      if (keepBytes === null) return;
      const used = usedBytes();
      if (used <= keepBytes) return;
      // The same share of both, so that they reach back about as far.
      const share = (used - keepBytes) / used;
      oldest.run(Math.min(Math.ceil(Number(count.get() ?? 0) * share), deletedAtOnce));
      oldestFeedback.run(Math.min(Math.ceil(Number(feedbackCount.get() ?? 0) * share), deletedAtOnce));
      next = now;
    },
  };
}
