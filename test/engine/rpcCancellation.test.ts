import assert from 'node:assert/strict';
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  createMessageConnection,
  type DataCallback,
  type Disposable,
  type Message,
} from 'vscode-jsonrpc/node';
import { createHandlers } from '../../src/engine/handlers.ts';
import { answerRequests } from '../../src/engine/rpc.ts';

/** Hands messages over when it is told to. */
class DirectReader extends AbstractMessageReader {
  #receive: DataCallback | null = null;
  listen(callback: DataCallback): Disposable {
    this.#receive = callback;
    return { dispose: () => undefined };
  }
  read(...messages: readonly Message[]): void {
    for (const message of messages) this.#receive?.(message);
  }
}

class SilentWriter extends AbstractMessageWriter {
  async write(): Promise<void> {}
  end(): void {}
}

describe('A request that is cancelled before its turn', () => {
  it('is told so', async () => {
    const reader = new DirectReader();
    const connection = createMessageConnection(reader, new SilentWriter());
    const never = () => Promise.reject(new Error('not part of this test'));
    const handlers = createHandlers({
      open: never,
      restore: never,
      describeBackup: never,
      progress: () => undefined,
    });
    const aborted = new Promise<boolean>((resolve) => {
      answerRequests(connection, {
        ...handlers,
        'tracking/experiments': (_params, signal) => {
          resolve(signal.aborted);
          return [];
        },
      });
    });
    connection.listen();
    const request = { jsonrpc: '2.0', id: 1, method: 'tracking/experiments', params: {} };
    const cancellation = { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } };
    reader.read(request, cancellation);
    assert.equal(await aborted, true);
    connection.dispose();
  });
});
