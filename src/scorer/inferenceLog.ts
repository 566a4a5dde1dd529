import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SlipwayError } from '../protocol/errors.ts';
import type { InferenceLogOptions } from '../protocol/scorer.ts';
import type { LogCommand, LogMessage } from './inferenceLogThread.ts';
import type { LoggedFeedback } from './logEntries.ts';
import type { LoadedVersion } from './modelRepository.ts';
import { type AnnouncedModel, type AnsweredTensors, buffersOf, createBlockBuilder } from './requestBlock.ts';
import { layOutValues } from './valueLayouts.ts';

/** A request for the log, as those see it who answer it. */
export interface AnsweredRequest extends AnsweredTensors {
  /** Null when it was refused before a version was chosen. */
  readonly loaded: LoadedVersion | null;
}

/** The log of an endpoint, as those see it who answer requests. A thread of its own writes it. */
export interface InferenceLog {
  /**
   * Resolves when the log can take more; null while it can. Who answers waits for it before a request is begun, so that
   * a log that falls behind slows clients down and loses nothing.
   */
  room(): Promise<void> | null;
  /** Keeps a request for the next flush. Costs the caller nothing but memory. */
  add(request: AnsweredRequest): void;
  /** Keeps another share of the requests from now on; those that were refused or failed are kept always. */
  keepShare(share: number): void;
  /** Keeps what a client told of earlier requests. */
  addFeedback(feedback: LoggedFeedback): void;
  /** Writes what is kept, and closes the file. */
  close(): Promise<void>;
}

/** What the log may keep. */
export interface InferenceLogCapacity {
  /** While more requests or bytes wait for the file, new requests wait, too. */
  readonly requests: number;
  readonly bytes: number;
  /** For so long; then a disk that is stuck is not to stop the endpoint: they are answered, and missing in the log. */
  readonly holdMilliseconds: number;
}

export const usualCapacity: InferenceLogCapacity = {
  requests: 100_000,
  bytes: 64 * 1024 * 1024,
  holdMilliseconds: 5_000,
};

/** Small enough that the memories that go to and fro stay small. A flush costs the same for few bytes as for many. */
const flushBytes = 4 * 1024 * 1024;
const flushEntries = 5_000;
/** Memories that lie ready, and how large they may be. */
const spareMemories = 2;
const spareBytes = 2 * flushBytes;
/** The thread makes little garbage, and would else let much of it gather. */
const threadLimits = { maxYoungGenerationSizeMb: 4 };

// Beside this file, as source and as bundle.
const threadFile = join(import.meta.dirname, `inferenceLogThread${extname(import.meta.filename)}`);

/** Starts the thread of a log, which takes its time before it is known what is to be written. */
export function beginLogThread(): Worker {
  return new Worker(threadFile, { resourceLimits: threadLimits });
}

/**
 * Opens or creates the log of an endpoint.
 *
 * @param warn told when requests cannot be written, and when some are lost.
 * @param thread that was begun for it.
 * @throws SlipwayError `storeUnreadable` when the file cannot be opened.
 */
export async function openInferenceLog(
  options: InferenceLogOptions,
  warn: (message: string) => void,
  capacity: InferenceLogCapacity = usualCapacity,
  thread: Worker = beginLogThread(),
): Promise<InferenceLog> {
  const { file, flushMilliseconds } = options;
  let { sample } = options;
  const redacted = new Set(options.redact);
  const send = (command: LogCommand) => thread.postMessage(command);
  send({ type: 'open', options });
  await opened(thread, file, warn);

  const builder = createBlockBuilder();
  let keptFeedback: LoggedFeedback[] = [];
  /** What each `write` held that is not in the file yet, oldest first. */
  const sent: { readonly count: number; readonly bytes: number }[] = [];
  /** What was kept or sent and is not in the file yet. */
  const waiting = { count: 0, bytes: 0 };
  const missing = { requests: 0, feedback: 0 };
  let timer: NodeJS.Timeout | null = null;
  let running = true;
  let hold: Hold | null = null;
  // Weak, so that a version that is unloaded can be forgotten.
  const announced = new WeakMap<LoadedVersion['predictor'], AnnouncedModel>();
  let announcedCount = 0;
  const spare: ArrayBuffer[] = [];
  const isFull = () => waiting.count >= capacity.requests || waiting.bytes >= capacity.bytes;
  const endHold = () => {
    if (!hold) return;
    clearTimeout(hold.timer);
    hold.end();
    hold = null;
  };
  const exited = new Promise<void>((resolve) => {
    thread.once('exit', () => {
      running = false;
      endHold();
      resolve();
    });
  });

  const written = (memory: ArrayBuffer) => {
    const entries = sent.shift();
    if (entries) {
      waiting.count -= entries.count;
      waiting.bytes -= entries.bytes;
    }
    if (memory.byteLength <= spareBytes && spare.length < spareMemories) spare.push(memory);
    if (isFull()) return;
    endHold();
    if (missing.requests > 0) {
      warn(`${missing.requests} requests are missing from the inference log ${file}.`);
    }
    if (missing.feedback > 0) {
      warn(`${missing.feedback} pieces of feedback are missing from the inference log ${file}.`);
    }
    missing.requests = 0;
    missing.feedback = 0;
  };
  thread.on('message', (message: LogMessage) => {
    if (message.type === 'warning') warn(message.message);
    if (message.type === 'written') written(message.memory);
  });
  thread.on('error', (error) => {
    warn(`The inference log ${file} ended: ${error.message}. Restart the endpoint to go on with it.`);
  });
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (!running || (builder.count === 0 && keptFeedback.length === 0)) return;
    sent.push({ count: builder.count + keptFeedback.length, bytes: builder.bytes });
    const requests = builder.take(spare.pop() ?? null);
    const command: LogCommand = { type: 'write', entries: { requests, feedback: keptFeedback } };
    thread.postMessage(command, buffersOf(requests));
    keptFeedback = [];
  };
  const announce = (loaded: LoadedVersion): AnnouncedModel => {
    const known = announced.get(loaded.predictor);
    if (known !== undefined) return known;
    const { description, hidden } = layOutValues(loaded.predictor, redacted);
    const created: AnnouncedModel = { number: announcedCount++, hidden };
    announced.set(loaded.predictor, created);
    const { name, version } = loaded;
    send({
      type: 'announce',
      number: created.number,
      model: { name, version, layout: JSON.stringify(description) },
    });
    return created;
  };
  const add = (request: AnsweredRequest) => {
    const model = request.loaded && announce(request.loaded);
    try {
      builder.add(request, model);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      warn(
        `The values of request "${request.requestId}" are missing from the inference log ${file}: ${error.message}`,
      );
      builder.add({ ...request, values: null }, model);
    }
  };
  return {
    room() {
      if (!running || !isFull()) return null;
      hold ??= createHold(capacity.holdMilliseconds);
      return hold.isOver ? null : hold.ended;
    },
    add(request) {
      if (!running) return;
      if (sample < 1 && request.status < 400 && Math.random() >= sample) return;
      if (isFull() && hold?.isOver) {
        missing.requests += 1;
        return;
      }
      const before = builder.bytes;
      add(request);
      waiting.count += 1;
      waiting.bytes += builder.bytes - before;
      if (builder.count >= flushEntries || builder.bytes >= flushBytes) flush();
      else timer ??= setTimeout(flush, flushMilliseconds);
    },
    keepShare(share) {
      sample = share;
    },
    addFeedback(feedback) {
      if (!running) return;
      if (isFull() && hold?.isOver) {
        missing.feedback += 1;
        return;
      }
      keptFeedback.push(feedback);
      waiting.count += 1;
      if (keptFeedback.length >= flushEntries) flush();
      else timer ??= setTimeout(flush, flushMilliseconds);
    },
    async close() {
      flush();
      send({ type: 'close' });
      await exited;
    },
  };
}

/** New requests wait for a log that is full. */
interface Hold {
  readonly ended: Promise<void>;
  readonly end: () => void;
  readonly timer: NodeJS.Timeout;
  /** They have waited for too long, and go on without the log. */
  isOver: boolean;
}

function createHold(milliseconds: number): Hold {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const giveUp = () => {
    hold.isOver = true;
    end();
  };
  const hold: Hold = { ended, end, timer: setTimeout(giveUp, milliseconds), isOver: false };
  return hold;
}

/** Resolves when the thread has the file open. */
function opened(thread: Worker, path: string, warn: (message: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const hear = (message: LogMessage) => {
      if (message.type === 'warning') warn(message.message);
      if (message.type !== 'open' && message.type !== 'failed') return;
      thread.off('message', hear).off('error', reject);
      if (message.type === 'open') resolve();
      else reject(new SlipwayError('storeUnreadable', { path, detail: message.detail }));
    };
    thread.on('message', hear).on('error', reject);
  });
}
