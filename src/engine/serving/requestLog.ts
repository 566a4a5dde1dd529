import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';
import { createLoggedValuesReader, type StoredValues } from '../../protocol/loggedValues.ts';
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

/** A page ends early rather than hold up the engine: at so many requests looked at, after so long, or so much read. */
const mostLookedAt = 50_000;
const mostMilliseconds = 100;
const mostBytes = 8_000_000;
/** Requests that are looked at before the clock is. */
const windowRows = 2_000;
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

type Row = Omit<LoggedRequestEntry, 'version' | 'inputs' | 'outputs'> &
  StoredValues & { readonly version: number };

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
    const first = before === null ? (last ?? 0) : before - 1;
    const reader = createLoggedValuesReader(log);
    const query = log.prepare<[Record<string, unknown>], Row>(pageQuery(reader.columns));
    const wanted = { ...filter, failed: failed === null ? null : Number(failed) };
    const requests: LoggedRequestEntry[] = [];
    const deadline = performance.now() + mostMilliseconds;
    let bytes = 0;
    // The next one that nobody has looked at.
    let upTo = first;
    while (upTo > 0 && first - upTo < mostLookedAt && performance.now() < deadline) {
      const downTo = Math.max(0, upTo - windowRows);
      for (const { inputs, outputs, layout, packed, ...row } of query.iterate({ ...wanted, upTo, downTo })) {
        const stored = { inputs, outputs, layout, packed };
        bytes += (inputs?.length ?? 0) + (outputs?.length ?? 0) + (packed?.length ?? 0);
        requests.push({
          ...row,
          version: row.version === 0 ? null : row.version,
          inputs: reader.text(stored, 'inputs')?.slice(0, longestText) ?? null,
          outputs: reader.text(stored, 'outputs')?.slice(0, longestText) ?? null,
        });
        if (requests.length < limit && bytes < mostBytes && performance.now() < deadline) continue;
        return { requests, before: row.id <= 1 ? null : row.id };
      }
      upTo = downTo;
    }
    return { requests, before: upTo === 0 ? null : upTo + 1 };
  } finally {
    log.close();
  }
}

/** @param values the columns that hold inputs and outputs. */
const pageQuery = (values: string) => `
SELECT id, request_id AS requestId, received_at AS receivedAt, model_name AS model, model_version AS version, variant,
  row_count AS rowCount, status, latency_us / 1000.0 AS latencyMilliseconds, ${values}
FROM ${inferenceLogTable}
WHERE id <= @upTo AND id > @downTo
  AND (@from IS NULL OR received_at >= @from) AND (@to IS NULL OR received_at <= @to)
  AND (@version IS NULL OR model_version = @version) AND (@variant IS NULL OR variant = @variant)
  AND (@failed IS NULL OR (status >= 400) = @failed) AND (@requestId IS NULL OR request_id = @requestId)
ORDER BY id DESC`;
