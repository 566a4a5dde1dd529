import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { SlipwayError } from '../protocol/errors.ts';
import { createInferenceLogReader } from '../protocol/inferenceLogReader.ts';
import { shadowVariant } from '../protocol/inferenceLogTables.ts';
import type { LoggedValue } from '../protocol/loggedValues.ts';
import { type ColumnCollector, type ColumnValues, createColumnCollector } from './columnValues.ts';

/** The inputs of the requests that an endpoint logged in a time window, by column. */
export interface LoggedRequests {
  readonly rowCount: number;
  readonly columns: ReadonlyMap<string, ColumnValues>;
}

export interface LogWindow {
  readonly endpoint: string;
  /** Absolute path of the inference log. */
  readonly inferenceLog: string;
  /** UTC milliseconds, both included. */
  readonly from: number;
  readonly to: number;
}

/** A tensor with more elements a row than this, such as a picture, is not taken apart into columns. */
const widestTensor = 1000;

/**
 * Reads an inference log, which its scorer may be writing to at the same time. Requests that were refused hold no
 * inputs and do not count, nor does what a shadow heard: others were asked the same. A row of a tensor with several elements becomes the columns `name[0]`, `name[1]`, ... A
 * column that some requests lack is missing there.
 *
 * @param progress told the share of requests that was read.
 * @throws SlipwayError `noLoggedRequests` when the window holds none, `dataUnreadable` when the log cannot be read.
 */
export async function readLoggedRequests(
  window: LogWindow,
  progress: (fraction: number) => void,
): Promise<LoggedRequests> {
  const log = openLog(window);
  try {
    return await readWindow(log, window, progress);
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    throw unreadable(window, error);
  } finally {
    log.close();
  }
}

function openLog(window: LogWindow): BetterSqlite3.Database {
  const { endpoint, inferenceLog } = window;
  if (!existsSync(inferenceLog)) throw new SlipwayError('noLoggedRequests', { endpoint });
  try {
    return new BetterSqlite3(inferenceLog, { readonly: true, fileMustExist: true, timeout: 20_000 });
  } catch (error) {
    throw unreadable(window, error);
  }
}

async function readWindow(
  log: BetterSqlite3.Database,
  { endpoint, from, to }: LogWindow,
  progress: (fraction: number) => void,
): Promise<LoggedRequests> {
  const reader = createInferenceLogReader(log);
  const collectors = new Map<string, ColumnCollector>();
  const collectorOf = (name: string): ColumnCollector => {
    const found = collectors.get(name);
    if (found !== undefined) return found;
    const created = createColumnCollector();
    collectors.set(name, created);
    return created;
  };
  const { first, next } = reader.ids();
  let rowCount = 0;
  let requests = 0;
  for (const request of reader.oldestFirst({ from, to })) {
    requests += 1;
    if (requests % 1000 === 0) {
      progress((request.id - first) / (next - first));
      // Lets the process see that its parent is gone.
      await setImmediate();
    }
    if (request.rowCount === 0 || request.variant === shadowVariant) continue;
    const inputs = request.values('inputs');
    if (inputs === null) continue;
    addRequest(inputs, collectorOf);
    rowCount += request.rowCount;
  }
  if (rowCount === 0) throw new SlipwayError('noLoggedRequests', { endpoint });

  const columns = new Map<string, ColumnValues>();
  for (const [name, collector] of collectors) {
    collector.addMissing(Math.max(rowCount - collector.rows(), 0));
    columns.set(name, collector.values());
  }
  return { rowCount, columns };
}

function addRequest(
  inputs: ReadonlyMap<string, LoggedValue>,
  collectorOf: (name: string) => ColumnCollector,
): void {
  for (const [name, values] of inputs) {
    if (!Array.isArray(values)) continue;
    for (const value of values) {
      if (Array.isArray(value)) addElements(name, value.flat(Number.POSITIVE_INFINITY), collectorOf);
      else addValue(collectorOf(name), value);
    }
  }
}

function addElements(
  name: string,
  elements: readonly unknown[],
  collectorOf: (name: string) => ColumnCollector,
): void {
  if (elements.length > widestTensor) return;
  if (elements.length === 1) {
    addValue(collectorOf(name), elements[0]);
    return;
  }
  elements.forEach((element, place) => {
    addValue(collectorOf(`${name}[${place}]`), element);
  });
}

function addValue(column: ColumnCollector, value: unknown): void {
  if (typeof value === 'number' || typeof value === 'bigint') column.addNumber(Number(value));
  else if (typeof value === 'string') column.addText(value);
  else if (typeof value === 'boolean') column.addTruth(value);
  else if (value === null || value === undefined) column.addMissing();
  else column.addText(JSON.stringify(value));
}

function unreadable({ inferenceLog }: LogWindow, error: unknown): SlipwayError {
  const detail = error instanceof Error ? error.message : String(error);
  return new SlipwayError('dataUnreadable', { path: inferenceLog, detail }, { cause: error });
}
