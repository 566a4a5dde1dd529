import { parentPort, workerData } from 'node:worker_threads';
import { type LogFile, type LoggedRequest, openInferenceLogWriter } from './inferenceLogWriter.ts';

/**
 * Entry of the thread that writes an inference log, so that nobody waits for an answer while rows become JSON and lie
 * down in a file. It ends on the command `close`.
 */

/** What the scorer tells the thread. */
export type LogCommand =
  | { readonly type: 'write'; readonly requests: readonly LoggedRequest[] }
  | { readonly type: 'close' };

/** What the thread tells the scorer. */
export type LogMessage =
  | { readonly type: 'open' }
  | { readonly type: 'failed'; readonly detail: string }
  | { readonly type: 'warning'; readonly message: string }
  /** So many requests were taken, and are in the file unless a warning said otherwise. */
  | { readonly type: 'taken'; readonly count: number };

function begin(): void {
  const tell = (message: LogMessage) => parentPort?.postMessage(message);
  let writer: ReturnType<typeof openInferenceLogWriter>;
  try {
    const file: LogFile = workerData;
    writer = openInferenceLogWriter(file, (message) => tell({ type: 'warning', message }));
  } catch (error) {
    tell({ type: 'failed', detail: error instanceof Error ? error.message : String(error) });
    return;
  }
  parentPort?.on('message', (command: LogCommand) => {
    if (command.type === 'write') {
      writer.write(command.requests);
      tell({ type: 'taken', count: command.requests.length });
    } else {
      writer.close();
      parentPort?.close();
    }
  });
  tell({ type: 'open' });
}

begin();
