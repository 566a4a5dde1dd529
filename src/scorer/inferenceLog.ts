import { once } from 'node:events';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SlipwayError } from '../protocol/errors.ts';
import type { InferenceLogOptions } from '../protocol/scorer.ts';
import type { LogCommand, LogMessage } from './inferenceLogThread.ts';
import type { LoggedFeedback } from './loggedRequest.ts';
import type { LoadedVersion } from './modelRepository.ts';
import { type AnsweredTensors, buffersOf, createRequestPacker } from './packedRequests.ts';
import { type HiddenPart, layOutValues } from './valueLayouts.ts';

/** A request for the log, as those see it who answer it. */
export interface AnsweredRequest extends Omit<AnsweredTensors, 'model'> {
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
/** Small enough that the memories that go to and fro stay small. */
const flushBytes = 4 * 1024 * 1024;
/** What may wait for the thread, which the disk may hold up; while more does, new requests are left out of the log. */
const waitingRequests = 100_000;
const waitingBytes = 64 * 1024 * 1024;
/** Memories that lie ready, and how large they may be. */
const spareMemories = 2;
const spareBytes = 2 * flushBytes;
/** The thread makes little garbage, and would else let much of it gather. */
const threadLimits = { maxYoungGenerationSizeMb: 4 };

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
  const redacted = new Set(options.redact);
  const thread = new Worker(threadFile, { workerData: options, resourceLimits: threadLimits });
  await opened(thread, file);

  const packer = createRequestPacker();
  let keptFeedback: LoggedFeedback[] = [];
  let rows = 0;
  /** What each `write` held that is not taken yet, oldest first. */
  const sent: { readonly count: number; readonly bytes: number }[] = [];
  /** What was kept or sent and is not taken yet. */
  const waiting = { count: 0, bytes: 0 };
  let missing = 0;
  let timer: NodeJS.Timeout | null = null;
  let running = true;
  // Weak, so that a version that is unloaded can be forgotten.
  const announced = new WeakMap<LoadedVersion['predictor'], Announced>();
  let announcedCount = 0;
  const spare: ArrayBuffer[] = [];
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
    if (taken) {
      waiting.count -= taken.count;
      waiting.bytes -= taken.bytes;
    }
    const { memory } = message;
    if (memory && memory.byteLength <= spareBytes && spare.length < spareMemories) spare.push(memory);
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
    sent.push({ count: packer.count, bytes: packer.bytes });
    const requests = packer.take(spare.pop() ?? null);
    const command: LogCommand = { type: 'write', requests, feedback: keptFeedback };
    thread.postMessage(command, buffersOf(requests));
    keptFeedback = [];
    rows = 0;
  };
  const announce = (loaded: LoadedVersion): Announced => {
    const known = announced.get(loaded.predictor);
    if (known !== undefined) return known;
    const { description, hidden } = layOutValues(loaded.predictor, redacted);
    const created: Announced = { number: announcedCount++, hidden };
    announced.set(loaded.predictor, created);
    const { name, version } = loaded;
    send({
      type: 'announce',
      number: created.number,
      model: { name, version, layout: JSON.stringify(description) },
    });
    return created;
  };
  const add = ({ loaded, ...request }: AnsweredRequest) => {
    const model = loaded && announce(loaded);
    const row = { ...request, model: model?.number ?? null };
    const hidden = model?.hidden ?? [];
    try {
      packer.add(row, hidden);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      warn(
        `The values of request "${request.requestId}" are missing from the inference log ${file}: ${error.message}`,
      );
      packer.add({ ...row, values: null }, hidden);
    }
  };
  return {
    add(request) {
      if (!running) return;
      if (sample < 1 && request.status < 400 && Math.random() >= sample) return;
      if (waiting.count >= waitingRequests || waiting.bytes >= waitingBytes) {
        missing += 1;
        return;
      }
      const before = packer.bytes;
      add(request);
      waiting.count += 1;
      waiting.bytes += packer.bytes - before;
      rows += request.values?.feeds[0]?.shape[0] ?? 1;
      if (rows >= flushRows || packer.bytes >= flushBytes) flush();
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

interface Announced {
  readonly number: number;
  readonly hidden: readonly HiddenPart[];
}

/** Resolves when the thread has the file open. */
async function opened(thread: Worker, path: string): Promise<void> {
  const [message]: LogMessage[] = await once(thread, 'message');
  if (message?.type !== 'failed') return;
  throw new SlipwayError('storeUnreadable', { path, detail: message.detail });
}
