import type { Database } from 'better-sqlite3';
import type { InferenceLogOptions } from '../protocol/scorer.ts';

/** Deletes what an inference log is not to keep any longer. */
export interface LogRetention {
  /**
   * Deletes a bounded number of the oldest blocks, so that nobody waits long for it; called after each flush, it
   * deletes faster than requests come. A block goes when the last of its requests is too old.
   *
   * @param now UTC milliseconds.
   */
  apply(now: number): void;
}

/** How often the age and the size are looked at while nothing was over the limit. */
const intervalMilliseconds = 5_000;
const deletedAtOnce = { blocks: 1_000, bytes: 32 * 1024 * 1024, feedback: 20_000 };

interface OldBlock {
  readonly id: number;
  readonly lastAt: number;
  readonly bytes: number;
}

export function createLogRetention(
  connection: Database,
  { keepMilliseconds, keepBytes }: Pick<InferenceLogOptions, 'keepMilliseconds' | 'keepBytes'>,
): LogRetention {
  const oldest = connection.prepare<[], OldBlock>(
    `SELECT id, last_at AS lastAt, octet_length(request_ids) + octet_length(heads) + octet_length(tensors) AS bytes
     FROM blocks ORDER BY id LIMIT ${deletedAtOnce.blocks}`,
  );
  const remove = connection.prepare('DELETE FROM blocks WHERE id = ?');
  const oldFeedback = connection.prepare(
    `DELETE FROM feedback
     WHERE id IN (SELECT id FROM feedback WHERE received_at < ? LIMIT ${deletedAtOnce.feedback})`,
  );
  const oldestFeedback = connection.prepare(
    'DELETE FROM feedback WHERE id IN (SELECT id FROM feedback ORDER BY id LIMIT ?)',
  );
  const feedbackCount = connection.prepare('SELECT max(id) - min(id) + 1 AS rows FROM feedback').pluck();
  const page = Number(connection.pragma('page_size', { simple: true }));
  const usedBytes = () =>
    (Number(connection.pragma('page_count', { simple: true })) -
      Number(connection.pragma('freelist_count', { simple: true }))) *
    page;

  /** Deletes blocks until so much is free, as far as it may delete at once. @returns whether it could do more. */
  const deleteBlocks = (blocks: readonly OldBlock[], bytes: number): boolean => {
    let freed = 0;
    const enough = Math.min(bytes, deletedAtOnce.bytes);
    for (const block of blocks) {
      if (freed >= enough) return freed < bytes;
      remove.run(block.id);
      freed += block.bytes;
    }
    return blocks.length === deletedAtOnce.blocks;
  };
  const apply = connection.transaction((now: number): boolean => {
    let more = false;
    if (keepMilliseconds !== null) {
      const limit = now - keepMilliseconds;
      const old = oldest.all().filter(({ lastAt }) => lastAt < limit);
      more = deleteBlocks(old, Number.POSITIVE_INFINITY);
      more ||= oldFeedback.run(limit).changes >= deletedAtOnce.feedback;
    }
    const used = usedBytes();
    if (keepBytes === null || used <= keepBytes) return more;
    // The same share of both, so that they reach back about as far.
    const share = (used - keepBytes) / used;
    const told = Math.ceil(Number(feedbackCount.get() ?? 0) * share);
    oldestFeedback.run(Math.min(told, deletedAtOnce.feedback));
    deleteBlocks(oldest.all(), used - keepBytes);
    return true;
  });
  let next = 0;
  return {
    apply(now) {
      if (now < next) return;
      next = apply(now) ? now : now + intervalMilliseconds;
    },
  };
}
