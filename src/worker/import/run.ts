import { SlipwayError } from '../../protocol/errors.ts';
import type { WorkerJobOf } from '../../protocol/worker.ts';
import type { ImportReader } from './reader.ts';
import { readers } from './readers.ts';
import type { RecordSender } from './recordSender.ts';
import { createSourceWatch } from './sourceWatch.ts';

export interface ImportOutput {
  readonly sender: RecordSender;
  progress(fraction: number, message: string): void;
  /** Called once, when all that the source held was taken. */
  caughtUp(unchangedParts: number): void;
}

/**
 * Reads a source to its end and, when asked to, again whenever it changes; then it never ends by itself.
 *
 * @throws SlipwayError `importUnreadable`, or `tooManyWatches` when the source cannot be watched.
 */
export async function importSource(job: WorkerJobOf<'import'>, output: ImportOutput): Promise<void> {
  const reader = readers.find(({ kind }) => kind === job.kind);
  if (reader === undefined) {
    throw new SlipwayError('importUnreadable', { path: job.path, detail: `nothing reads ${job.kind}` });
  }
  const known = new Map(job.known);
  const offsets = new Map<string, number>();
  const read = (changed: ReadonlySet<string> | null) =>
    readOnce(reader, job, { known, offsets, changed }, output);

  if (!job.keepInSync) {
    const seen = await read(null);
    output.caughtUp(unchanged(job.known, seen));
    return;
  }
  const watch = createSourceWatch(job.path);
  try {
    // Watched before it is read, so that what is written meanwhile is an event.
    watch.look(await reader.watched(job.path));
    const seen = await read(null);
    output.caughtUp(unchanged(job.known, seen));
    let settledAfter = reader.settledAfter;
    for (;;) {
      // A folder that is new may have been written to before it was watched.
      const added = watch.look(await reader.watched(job.path));
      const changed = added.size > 0 ? added : await watch.changed(settledAfter);
      // Once in a silence is enough.
      settledAfter = changed.size > 0 ? reader.settledAfter : undefined;
      await read(changed);
    }
  } finally {
    watch.close();
  }
}

interface Session {
  readonly known: Map<string, string>;
  readonly offsets: Map<string, number>;
  readonly changed: ReadonlySet<string> | null;
}

/** Gives the keys of the parts that were read. */
async function readOnce(
  reader: ImportReader,
  job: WorkerJobOf<'import'>,
  session: Session,
  output: ImportOutput,
): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  for await (const record of reader.read(job.path, { ...session, remaps: job.remaps })) {
    if (record.type === 'progress') {
      output.progress(record.total === 0 ? 0 : record.done / record.total, record.message);
      continue;
    }
    await output.sender.send(record);
    if (record.type === 'part') {
      seen.add(record.key);
      session.known.set(record.key, record.state);
    }
  }
  await output.sender.flush();
  return seen;
}

function unchanged(known: ReadonlyMap<string, string>, seen: ReadonlySet<string>): number {
  let count = 0;
  for (const key of known.keys()) if (!seen.has(key)) count += 1;
  return count;
}
