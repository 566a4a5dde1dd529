import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';
import type {
  LoggedRequestEntry,
  LoggedRequestPage,
  ReplayReport,
  RequestExportReport,
  RequestFilter,
} from '../../protocol/requests.ts';
import { inferenceLogTable, type ScorerModel } from '../../protocol/scorer.ts';
import type { DataFormat } from '../../protocol/scoring.ts';
import { inferenceLogFile, type StoreLayout } from '../layout.ts';
import type { JobControl, WorkerProcesses } from '../workerProcess.ts';

/** What endpoints were asked, as their inference logs hold it. */
export interface RequestLog {
  /** @throws SlipwayError `inferenceLogUnreadable`. */
  page(endpoint: string, filter: RequestFilter, before: number | null, limit: number): LoggedRequestPage;
  /** @throws SlipwayError `noLoggedRequests`, `inferenceLogUnreadable`, `diskFull`, `requestsNotWritten`, `invalidParameter` or `cancelled`. */
  export(params: RequestExportParams, control: JobControl): Promise<RequestExportReport>;
  /** @throws SlipwayError `noLoggedRequests`, `inferenceLogUnreadable`, why the version cannot be loaded, or `cancelled`. */
  replay(params: ReplayParams, control: JobControl): Promise<ReplayReport>;
}

export interface RequestExportParams {
  readonly endpoint: string;
  readonly filter: RequestFilter;
  /** Absolute path. */
  readonly output: string;
  /** Null: as the file's name ends. */
  readonly format: DataFormat | null;
}

export interface ReplayParams {
  readonly endpoint: string;
  readonly filter: RequestFilter;
  readonly modelVersion: number;
  readonly limit: number;
}

export interface RequestLogDependencies {
  readonly layout: StoreLayout;
  readonly workers: Pick<WorkerProcesses, 'run'>;
  /** The name of an endpoint's model. @throws SlipwayError `notFound`. */
  readonly modelOf: (endpoint: string) => string;
  /** How a version is loaded. @throws SlipwayError `notFound`, `versionNotServable`, `pythonConsentNeeded`. */
  readonly loadable: (model: string, version: number) => Promise<ScorerModel>;
}

/** A page looks at no more requests than this, so that a filter that nothing fits does not hold up the engine. */
const lookedAt = 50_000;
const longestText = 4_000;
const exportLimit = 1_000_000_000;

export function createRequestLog({ layout, workers, modelOf, loadable }: RequestLogDependencies): RequestLog {
  return {
    page(endpoint, filter, before, limit) {
      modelOf(endpoint);
      const path = inferenceLogFile(layout, endpoint);
      if (!existsSync(path)) return { requests: [], before: null };
      try {
        return readPage(path, filter, before, limit);
      } catch (error) {
        if (error instanceof SlipwayError) throw error;
        const detail = error instanceof Error ? error.message : String(error);
        throw new SlipwayError('inferenceLogUnreadable', { path, detail: `${detail}.` }, { cause: error });
      }
    },
    async export({ endpoint, filter, output, format }, control) {
      modelOf(endpoint);
      if (!isAbsolute(output)) {
        throw new SlipwayError('invalidParameter', { detail: `No absolute path: ${output}` });
      }
      const id = crypto.randomUUID();
      const temporaryFolder = join(layout.cache, `requests-${id}`);
      const unfinished = join(dirname(output), `.${id}.partial`);
      try {
        return await workers.run(
          {
            type: 'exportRequests',
            endpoint,
            inferenceLog: inferenceLogFile(layout, endpoint),
            filter,
            limit: exportLimit,
            output,
            format,
            temporaryFolder,
            unfinished,
          },
          control,
        );
      } finally {
        // A worker that was killed leaves them.
        await rm(temporaryFolder, { recursive: true, force: true });
        if (existsSync(unfinished)) await rm(unfinished);
      }
    },
    async replay({ endpoint, filter, modelVersion, limit }, control) {
      const model = await loadable(modelOf(endpoint), modelVersion);
      return workers.run(
        {
          type: 'replayRequests',
          endpoint,
          inferenceLog: inferenceLogFile(layout, endpoint),
          filter,
          limit,
          model,
        },
        control,
      );
    },
  };
}

type Row = Omit<LoggedRequestEntry, 'version'> & { readonly version: number };

function readPage(
  path: string,
  { failed, ...filter }: RequestFilter,
  before: number | null,
  limit: number,
): LoggedRequestPage {
  const log = new BetterSqlite3(path, { readonly: true, fileMustExist: true, timeout: 2_000 });
  try {
    const form = Number(log.pragma('user_version', { simple: true }));
    // Its scorer is just making the tables.
    if (form === 0) return { requests: [], before: null };
    if (form === 1) {
      const detail = 'it was written by an older Slipway.';
      throw new SlipwayError('inferenceLogUnreadable', { path, detail });
    }
    const last = log.prepare<[], number | null>(`SELECT max(id) FROM ${inferenceLogTable}`).pluck().get();
    const upTo = before === null ? (last ?? 0) : before - 1;
    const from = Math.max(0, upTo - lookedAt);
    const rows = log
      .prepare<[Record<string, unknown>], Row>(pageQuery)
      .all({ ...filter, failed: failed === null ? null : Number(failed), upTo, downTo: from, limit });
    const requests = rows.map((row) => ({ ...row, version: row.version === 0 ? null : row.version }));
    const next = requests.length === limit ? (requests.at(-1)?.id ?? 0) : from + 1;
    return { requests, before: next <= 1 ? null : next };
  } finally {
    log.close();
  }
}

const pageQuery = `
SELECT id, request_id AS requestId, received_at AS receivedAt, model_name AS model, model_version AS version, variant,
  row_count AS rowCount, status, latency_us / 1000.0 AS latencyMilliseconds,
  substr(inputs, 1, ${longestText}) AS inputs, substr(outputs, 1, ${longestText}) AS outputs
FROM ${inferenceLogTable}
WHERE id <= @upTo AND id > @downTo
  AND (@from IS NULL OR received_at >= @from) AND (@to IS NULL OR received_at <= @to)
  AND (@version IS NULL OR model_version = @version) AND (@variant IS NULL OR variant = @variant)
  AND (@failed IS NULL OR (status >= 400) = @failed) AND (@requestId IS NULL OR request_id = @requestId)
ORDER BY id DESC LIMIT @limit`;
