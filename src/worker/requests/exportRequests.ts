import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SlipwayError } from '../../protocol/errors.ts';
import type { RequestExportReport } from '../../protocol/requests.ts';
import { type DataFormat, formatOfName } from '../../protocol/scoring.ts';
import type { WorkerJobOf } from '../../protocol/worker.ts';
import { openDataFiles } from '../duckdb/dataFiles.ts';
import { writingFailure } from '../duckdb/failures.ts';
import { copyOptions, literal } from '../duckdb/sql.ts';
import { createExportLines, type ExportLines } from './exportLines.ts';
import { openRequestRows, type RequestRows, type SelectedRequests } from './requestRows.ts';

type ExportJob = WorkerJobOf<'exportRequests'>;

/**
 * Writes the requests of an inference log as a data file with one row for each row of a request: `request_id`,
 * `received_at` (UTC), `model`, `version`, `variant`, `status`, `latency_ms`, `row`, then `inputs.<name>` and
 * `outputs.<name>` (`outputs.<name>.<label>` for scores by class), and `truth` and `reward` that clients told later.
 * A request that was refused, or that has no rows, is one row without inputs and outputs.
 *
 * An output that is there is replaced when the new one is complete. Whoever kills this process deletes
 * `temporaryFolder` and `unfinished`.
 *
 * @throws SlipwayError `noLoggedRequests`, `inferenceLogUnreadable`, `diskFull`, `requestsNotWritten`, or
 * `exportFormatUnknown`.
 */
export async function exportRequests(
  job: ExportJob,
  progress: (fraction: number, message: string) => void,
): Promise<RequestExportReport> {
  const { endpoint, filter, limit, output, temporaryFolder } = job;
  const format = job.format ?? formatOfName(output);
  if (!format) {
    throw new SlipwayError('exportFormatUnknown', { path: output, endings: '.csv, .tsv, .jsonl, .parquet' });
  }
  const log = openRequestRows(job.inferenceLog, endpoint);
  try {
    const selected = log.latest(filter, limit);
    const total = selected.count;
    if (total === 0) throw new SlipwayError('noLoggedRequests', { endpoint });
    await mkdir(temporaryFolder, { recursive: true });
    const file = join(temporaryFolder, 'requests.jsonl');
    const lines = createExportLines();
    let requests = 0;
    const taken = () => {
      requests += 1;
      if (requests % 1000 === 0) progress(Math.min(0.9, (0.9 * requests) / total), '');
    };
    await pipeline(Readable.from(texts(selected, log, lines, taken)), createWriteStream(file));
    await convert(lines.query(file, format), job, format);
    return { output, requests, rows: lines.rows };
  } catch (error) {
    throw notWritten(error, output);
  } finally {
    log.close();
  }
}

function* texts(
  selected: SelectedRequests,
  log: RequestRows,
  lines: ExportLines,
  taken: () => void,
): Iterable<string> {
  for (const request of selected.rows()) {
    yield* lines.of(request, log.feedback(request.requestId));
    taken();
  }
}

async function convert(
  query: string,
  { output, unfinished, temporaryFolder }: ExportJob,
  format: DataFormat,
): Promise<void> {
  const files = await openDataFiles(temporaryFolder);
  try {
    await files.connection.run(
      `COPY (${query}) TO ${literal(unfinished)} (${copyOptions(format, output, 'COMPRESSION zstd')})`,
    );
    await rename(unfinished, output);
  } finally {
    files.close();
    // What was renamed, or could not be made, is not there.
    if (existsSync(unfinished)) await rm(unfinished);
  }
}

/** The same failure as with scores, of which nothing is kept here. */
function notWritten(error: unknown, output: string): unknown {
  const failure = writingFailure(error, output);
  return failure instanceof SlipwayError && failure.kind === 'scoreWriteFailed'
    ? new SlipwayError('requestsNotWritten', failure.values, { cause: failure.cause })
    : failure;
}
