import { parentPort, workerData } from 'node:worker_threads';
import type { InferenceLogOptions } from '../protocol/scorer.ts';
import { openInferenceLogWriter } from './inferenceLogWriter.ts';
import type { LogEntries, LoggedModel } from './logEntries.ts';

/**
 * Entry of the thread that writes an inference log, so that nobody waits for an answer while rows lie down in a file.
 * It ends on the command `close`.
 */

/** What the scorer tells the thread. */
export type LogCommand =
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

function begin(): void {
  const tell = (message: LogMessage, memory: readonly ArrayBuffer[] = []) =>
    parentPort?.postMessage(message, memory);
  let writer: ReturnType<typeof openInferenceLogWriter>;
  try {
    const options: InferenceLogOptions = workerData;
    writer = openInferenceLogWriter(options, {
      warn: (message) => tell({ type: 'warning', message }),
      written: ({ requests: { memory } }) => tell({ type: 'written', memory }, [memory]),
    });
  } catch (error) {
    tell({ type: 'failed', detail: error instanceof Error ? error.message : String(error) });
    return;
  }
  parentPort?.on('message', (command: LogCommand) => {
    switch (command.type) {
      case 'announce':
        writer.announce(command.number, command.model);
        return;
      case 'write':
        writer.write(command.entries);
        return;
      case 'close':
        writer.close();
        parentPort?.close();
    }
  });
  tell({ type: 'open' });
}

begin();
