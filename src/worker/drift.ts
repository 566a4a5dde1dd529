import { SlipwayError } from '../protocol/errors.ts';
import type { DriftReport } from '../protocol/monitoring.ts';
import type { WorkerJobOf } from '../protocol/worker.ts';
import { significance } from '../statistics/drift.ts';
import { type ComparedColumn, compareColumn } from './columnDrift.ts';
import { type LoggedRequests, readLoggedRequests } from './loggedRequests.ts';
import { openReferenceTable, type ReferenceTable } from './referenceTable.ts';

/** Told how far a job is: a share between 0 and 1, and what it is at, such as a column's name. */
export type Progress = (fraction: number, message: string) => void;

const shareOfReadingLog = 0.3;
const shareOfOpening = 0.5;

/**
 * Compares the columns that a reference file and the logged requests of a window have in common.
 *
 * @throws SlipwayError `noLoggedRequests`, `dataUnreadable` or `noSharedColumns`.
 */
export async function computeDrift(job: WorkerJobOf<'drift'>, progress: Progress): Promise<DriftReport> {
  progress(0, job.endpoint);
  const logged = await readLoggedRequests(job, (fraction) =>
    progress(fraction * shareOfReadingLog, job.endpoint),
  );
  progress(shareOfReadingLog, job.referenceLabel);
  const table = await openReferenceTable(job.referenceFile);
  try {
    const compared = await compareTable(table, logged, (fraction, column) =>
      progress(shareOfOpening + fraction * (1 - shareOfOpening), column),
    );
    return {
      endpoint: job.endpoint,
      referenceLabel: job.referenceLabel,
      referenceRows: table.rowCount,
      currentRows: logged.rowCount,
      from: job.from,
      to: job.to,
      significance,
      columns: compared.map(({ column }) => column),
      referenceOnly: table.columns.map(({ name }) => name).filter((name) => !logged.columns.has(name)),
      currentOnly: [...logged.columns.keys()].filter(
        (name) => !table.columns.some((column) => column.name === name),
      ),
    };
  } finally {
    table.close();
  }
}

async function compareTable(
  table: ReferenceTable,
  logged: LoggedRequests,
  progress: Progress,
): Promise<ComparedColumn[]> {
  const shared = table.columns.flatMap((column) => {
    const current = logged.columns.get(column.name);
    return current === undefined ? [] : [{ column, current }];
  });
  if (shared.length === 0) throw new SlipwayError('noSharedColumns');
  const compared: ComparedColumn[] = [];
  for (const [index, { column, current }] of shared.entries()) {
    progress(index / shared.length, column.name);
    compared.push(compareColumn(column.name, column.kind, await table.read(column), current));
  }
  return compared.sort((a, b) => b.movement - a.movement || (a.column.name < b.column.name ? -1 : 1));
}
