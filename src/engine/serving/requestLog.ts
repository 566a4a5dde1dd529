import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../../protocol/errors.ts';
import { createInferenceLogReader, isMeant, type LoggedRequest } from '../../protocol/inferenceLogReader.ts';
import type {
  LoggedRequestEntry,
  LoggedRequestPage,
  ReplayReport,
  RequestExportReport,
  RequestFilter,
} from '../../protocol/requests.ts';
import type { ScorerModel } from '../../protocol/scorer.ts';
import type { DataFormat } from '../../protocol/scoring.ts';
import { inferenceLogFile, type StoreLayout } from '../layout.ts';
import type { JobControl, WorkerProcesses } from '../workerProcess.ts';

/** What endpoints were asked, as their inference logs hold it. */
export interface RequestLog {
  /** @throws SlipwayError `inferenceLogUnreadable`. */
  page(endpoint: string, filter: RequestFilter, before: number | null, limit: number): LoggedRequestPage;
  /** @throws SlipwayError `noLoggedRequests`, `inferenceLogUnreadable`, `diskFull`, `requestsNotWritten`, `exportFormatUnknown`, `invalidParameter` or `cancelled`. */
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

/** A page ends early rather than hold up the engine: after so long, or so much read. */
const mostMilliseconds = 100;
const mostBytes = 8_000_000;
/** Requests that are looked at before the clock is: while values are read, and while nothing is found. */
const requestsPerLook = 500;
const requestsPerWindow = 50_000;
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

function readPage(
  path: string,
  filter: RequestFilter,
  before: number | null,
  limit: number,
): LoggedRequestPage {
  const log = new BetterSqlite3(path, { readonly: true, fileMustExist: true, timeout: 2_000 });
  try {
    const { from, to, requestId } = filter;
    const reader = createInferenceLogReader(log);
    const requests: LoggedRequestEntry[] = [];
    const deadline = performance.now() + mostMilliseconds;
    const { first, next } = reader.ids();
    let bytes = 0;
    let lookedAt = 0;
    // Ids from there on have been looked at.
    let upTo = before ?? next;
    while (upTo > first) {
      const since = Math.max(first, upTo - requestsPerWindow);
      for (const request of reader.newestFirst({ from, to, requestId, since, before: upTo })) {
        lookedAt += 1;
        if (isMeant(request, filter)) {
          bytes += request.bytes;
          requests.push(entryOf(request));
        }
        const isFull = requests.length >= limit || bytes >= mostBytes;
        const isLate = lookedAt % requestsPerLook === 0 && performance.now() >= deadline;
        if (isFull || isLate) return { requests, before: request.id > first ? request.id : null };
      }
      upTo = since;
      // Not before: where the first look at the file takes so long, pages would never get any further.
      if (performance.now() >= deadline) break;
    }
    return { requests, before: upTo > first ? upTo : null };
  } finally {
    log.close();
  }
}

function entryOf(request: LoggedRequest): LoggedRequestEntry {
  const { id, requestId, receivedAt, model, version, variant, rowCount, status, latencyMicroseconds } =
    request;
  return {
    ...{ id, requestId, receivedAt, model, version, variant, rowCount, status },
    latencyMilliseconds: latencyMicroseconds / 1000,
    inputs: request.text('inputs')?.slice(0, longestText) ?? null,
    outputs: request.text('outputs')?.slice(0, longestText) ?? null,
  };
}
