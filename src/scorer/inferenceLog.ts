import { once } from 'node:events';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SlipwayError } from '../protocol/errors.ts';
import { rowCount } from './datatypes.ts';
import type { LogCommand, LogMessage } from './inferenceLogThread.ts';
import type { LogFile, LoggedRequest } from './inferenceLogWriter.ts';

/** The log of an endpoint, as those see it who answer requests. A thread of its own writes it. */
export interface InferenceLog {
  /** Keeps a request for the next flush. Costs the caller nothing but memory. */
  add(request: LoggedRequest): void;
  /** Writes what is kept, and closes the file. */
  close(): Promise<void>;
}

const flushMilliseconds = 100;
const flushRows = 5_000;
/** Requests that may wait for the thread; while more do, new ones are left out of the log. */
const waitingRequests = 20_000;

// Beside this file, as source and as bundle.
const threadFile = join(import.meta.dirname, `inferenceLogThread${extname(import.meta.filename)}`);

/**
 * Opens or creates the log of an endpoint.
 *
 * @param warn told when requests cannot be written, and when some are lost.
 * @throws SlipwayError `storeUnreadable` when the file cannot be opened.
 */
export async function openInferenceLog(
  file: LogFile,
  warn: (message: string) => void,
): Promise<InferenceLog> {
  const thread = new Worker(threadFile, { workerData: file });
  await opened(thread, file.file);

  let kept: LoggedRequest[] = [];
  let rows = 0;
  let waiting = 0;
  let missing = 0;
  let timer: NodeJS.Timeout | null = null;
  let running = true;
  const exited = new Promise<void>((resolve) => {
    thread.once('exit', () => {
      running = false;
      resolve();
    });
  });

  const send = (command: LogCommand) => thread.postMessage(command);
  thread.on('message', (message: LogMessage) => {
    if (message.type === 'warning') warn(message.message);
    if (message.type !== 'taken') return;
    waiting -= message.count;
    if (missing > 0) warn(`${missing} requests are missing from the inference log ${file.file}.`);
    missing = 0;
  });
  thread.on('error', (error) => {
    warn(`The inference log ${file.file} ended: ${error.message}. Restart the endpoint to go on with it.`);
  });
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (!running || kept.length === 0) return;
    waiting += kept.length;
    send({ type: 'write', requests: kept });
    kept = [];
    rows = 0;
  };
  return {
    add(request) {
      if (!running) return;
      if (waiting >= waitingRequests) {
        missing += 1;
        return;
      }
      kept.push(request);
      rows += request.values ? rowCount(request.values.feeds) : 1;
      if (rows >= flushRows) flush();
      else timer ??= setTimeout(flush, flushMilliseconds);
    },
    async close() {
      flush();
      send({ type: 'close' });
      await exited;
    },
  };
}

/** Resolves when the thread has the file open. */
async function opened(thread: Worker, path: string): Promise<void> {
  const [message]: LogMessage[] = await once(thread, 'message');
  if (message?.type !== 'failed') return;
  throw new SlipwayError('storeUnreadable', { path, detail: message.detail });
}
