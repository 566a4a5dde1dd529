import { parentPort } from 'node:worker_threads';
import type { InferenceLogOptions } from '../protocol/scorer.ts';
import { type InferenceLogWriter, openInferenceLogWriter } from './inferenceLogWriter.ts';
import type { LogEntries, LoggedModel } from './logEntries.ts';

/**
 * Entry of the thread that writes an inference log, so that nobody waits for an answer while rows lie down in a file.
 * It ends on the command `close`.
 */

/** What the scorer tells the thread. */
export type LogCommand =
  /** Comes first. */
  | { readonly type: 'open'; readonly options: InferenceLogOptions }
  | { readonly type: 'announce'; readonly number: number; readonly model: LoggedModel }
  | { readonly type: 'write'; readonly entries: LogEntries }
  | { readonly type: 'close' };

/** What the thread tells the scorer. */
export type LogMessage =
  | { readonly type: 'open' }
  | { readonly type: 'failed'; readonly detail: string }
  | { readonly type: 'warning'; readonly message: string }
  /** What came with the oldest `write` is in the file; its memory comes back to be used again. */
  | { readonly type: 'written'; readonly memory: ArrayBuffer };

function tell(message: LogMessage, memory: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, memory);
}

function open(options: InferenceLogOptions): InferenceLogWriter | null {
  try {
    const writer = openInferenceLogWriter(options, {
      warn: (message) => tell({ type: 'warning', message }),
      written: ({ requests: { memory } }) => tell({ type: 'written', memory }, [memory]),
    });
    tell({ type: 'open' });
    return writer;
  } catch (error) {
    tell({ type: 'failed', detail: error instanceof Error ? error.message : String(error) });
    parentPort?.close();
    return null;
  }
}

let writer: InferenceLogWriter | null = null;
parentPort?.on('message', (command: LogCommand) => {
  switch (command.type) {
    case 'open':
      writer = open(command.options);
      return;
    case 'announce':
      writer?.announce(command.number, command.model);
      return;
    case 'write':
      writer?.write(command.entries);
      return;
    case 'close':
      writer?.close();
      parentPort?.close();
  }
});
