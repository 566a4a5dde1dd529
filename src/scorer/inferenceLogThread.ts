import { parentPort, workerData } from 'node:worker_threads';
import type { InferenceLogOptions } from '../protocol/scorer.ts';
import { openInferenceLogWriter } from './inferenceLogWriter.ts';
import type { LoggedFeedback, LoggedModel } from './loggedRequest.ts';
import { type PackedRequests, unpackRequests } from './packedRequests.ts';

/**
 * Entry of the thread that writes an inference log, so that nobody waits for an answer while rows lie down in a file.
 * It ends on the command `close`.
 */

/** What the scorer tells the thread. */
export type LogCommand =
  | { readonly type: 'announce'; readonly number: number; readonly model: LoggedModel }
  | {
      readonly type: 'write';
      readonly requests: PackedRequests;
      readonly feedback: readonly LoggedFeedback[];
    }
  | { readonly type: 'close' };

/** What the thread tells the scorer. */
export type LogMessage =
  | { readonly type: 'open' }
  | { readonly type: 'failed'; readonly detail: string }
  | { readonly type: 'warning'; readonly message: string }
  /**
   * What was sent in one `write` was taken, and is in the file unless a warning said otherwise. Its memory comes back
   * to be used again, unless requests in it still wait for the file.
   */
  | { readonly type: 'taken'; readonly memory: ArrayBuffer | null };

function begin(): void {
  const tell = (message: LogMessage, memory: readonly ArrayBuffer[] = []) =>
    parentPort?.postMessage(message, memory);
  let writer: ReturnType<typeof openInferenceLogWriter>;
  try {
    const options: InferenceLogOptions = workerData;
    writer = openInferenceLogWriter(options, (message) => tell({ type: 'warning', message }));
  } catch (error) {
    tell({ type: 'failed', detail: error instanceof Error ? error.message : String(error) });
    return;
  }
  parentPort?.on('message', (command: LogCommand) => {
    switch (command.type) {
      case 'announce':
        writer.announce(command.number, command.model);
        return;
      case 'write': {
        const { memory } = command.requests;
        const isWritten = writer.write(unpackRequests(command.requests), command.feedback);
        tell({ type: 'taken', memory: isWritten ? memory : null }, isWritten ? [memory] : []);
        return;
      }
      case 'close':
        writer.close();
        parentPort?.close();
    }
  });
  tell({ type: 'open' });
}

begin();
