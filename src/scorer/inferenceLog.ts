import { once } from 'node:events';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Tensor } from '../inference/datatypes.ts';
import { SlipwayError } from '../protocol/errors.ts';
import type { InferenceLogOptions } from '../protocol/scorer.ts';
import type { LogCommand, LogMessage } from './inferenceLogThread.ts';
import type { LoggedFeedback, LoggedRequest } from './loggedRequest.ts';
import type { LoadedVersion } from './modelRepository.ts';
import { buffersOf, createRequestPacker } from './packedRequests.ts';

/** A request for the log, as those see it who answer it. */
export interface AnsweredRequest extends Omit<LoggedRequest, 'model'> {
  /** Null when it was refused before a version was chosen. */
  readonly loaded: LoadedVersion | null;
}

/** The log of an endpoint, as those see it who answer requests. A thread of its own writes it. */
export interface InferenceLog {
  /** Keeps a request for the next flush. Costs the caller nothing but memory. */
  add(request: AnsweredRequest): void;
  /** Keeps what a client told of earlier requests. */
  addFeedback(feedback: LoggedFeedback): void;
  /** Writes what is kept, and closes the file. */
  close(): Promise<void>;
}

const flushRows = 5_000;
/** What may wait for the thread; while more does, new requests are left out of the log. */
const waitingRequests = 20_000;
const waitingBytes = 256 * 1024 * 1024;

// Beside this file, as source and as bundle.
const threadFile = join(import.meta.dirname, `inferenceLogThread${extname(import.meta.filename)}`);

/**
 * Opens or creates the log of an endpoint.
 *
 * @param warn told when requests cannot be written, and when some are lost.
 * @throws SlipwayError `storeUnreadable` when the file cannot be opened.
 */
export async function openInferenceLog(
  options: InferenceLogOptions,
  warn: (message: string) => void,
): Promise<InferenceLog> {
  const { file, sample, flushMilliseconds } = options;
  const thread = new Worker(threadFile, { workerData: options });
  await opened(thread, file);

  const packer = createRequestPacker();
  let keptFeedback: LoggedFeedback[] = [];
  let rows = 0;
  let bytes = 0;
  /** What each `write` held that is not taken yet, oldest first. */
  const sent: { readonly count: number; readonly bytes: number }[] = [];
  /** What was kept or sent and is not taken yet. */
  let waiting = { count: 0, bytes: 0 };
  let missing = 0;
  let timer: NodeJS.Timeout | null = null;
  let running = true;
  // Weak, so that a version that is unloaded can be forgotten.
  const announced = new WeakMap<LoadedVersion['predictor'], number>();
  let announcedCount = 0;
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
    const taken = sent.shift();
    if (taken) waiting = { count: waiting.count - taken.count, bytes: waiting.bytes - taken.bytes };
    if (missing > 0) warn(`${missing} requests are missing from the inference log ${file}.`);
    missing = 0;
  });
  thread.on('error', (error) => {
    warn(`The inference log ${file} ended: ${error.message}. Restart the endpoint to go on with it.`);
  });
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (!running || (packer.count === 0 && keptFeedback.length === 0)) return;
    sent.push({ count: packer.count, bytes });
    const requests = packer.take();
    const command: LogCommand = { type: 'write', requests, feedback: keptFeedback };
    thread.postMessage(command, buffersOf(requests));
    keptFeedback = [];
    rows = 0;
    bytes = 0;
  };
  const numberOf = (loaded: LoadedVersion): number => {
    const known = announced.get(loaded.predictor);
    if (known !== undefined) return known;
    const number = announcedCount++;
    announced.set(loaded.predictor, number);
    const { inputs, outputs, layout } = loaded.predictor;
    send({
      type: 'announce',
      number,
      model: { name: loaded.name, version: loaded.version, inputs, outputs, layout },
    });
    return number;
  };
  return {
    add({ loaded, ...request }) {
      if (!running) return;
      if (sample < 1 && request.status < 400 && Math.random() >= sample) return;
      const { values } = request;
      const size = values ? byteSize(values.feeds) + byteSize(values.outputs) : 0;
      if (waiting.count >= waitingRequests || (waiting.count > 0 && waiting.bytes + size > waitingBytes)) {
        missing += 1;
        return;
      }
      packer.add({ ...request, model: loaded && numberOf(loaded) });
      waiting = { count: waiting.count + 1, bytes: waiting.bytes + size };
      rows += values?.feeds[0]?.shape[0] ?? 1;
      bytes += size;
      if (rows >= flushRows) flush();
      else timer ??= setTimeout(flush, flushMilliseconds);
    },
    addFeedback(feedback) {
      if (!running) return;
      keptFeedback.push(feedback);
      if (keptFeedback.length >= flushRows) flush();
      else timer ??= setTimeout(flush, flushMilliseconds);
    },
    async close() {
      flush();
      send({ type: 'close' });
      await exited;
    },
  };
}

/** About how much memory tensors take; two bytes for each letter of a string. */
function byteSize(tensors: readonly Tensor[]): number {
  let bytes = 0;
  for (const { data } of tensors) {
    if (!Array.isArray(data)) bytes += data.byteLength;
    else for (const text of data) bytes += 16 + 2 * text.length;
  }
  return bytes;
}

/** Resolves when the thread has the file open. */
async function opened(thread: Worker, path: string): Promise<void> {
  const [message]: LogMessage[] = await once(thread, 'message');
  if (message?.type !== 'failed') return;
  throw new SlipwayError('storeUnreadable', { path, detail: message.detail });
}
