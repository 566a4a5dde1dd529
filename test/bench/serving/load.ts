import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { LoadOrder, LoadResult } from './loadGenerator.ts';

/** A process of its own that sends requests, so that this one does not disturb what it measures. */
export interface LoadGenerator {
  run(order: LoadOrder): Promise<LoadResult>;
  close(): void;
}

export function startLoadGenerator(): LoadGenerator {
  const child: ChildProcess = fork(join(import.meta.dirname, 'loadGenerator.ts'), { execArgv: [] });
  return {
    run: (order) =>
      new Promise((resolve, reject) => {
        const ended = () => reject(new Error('The load generator ended.'));
        child.once('exit', ended);
        child.once('message', (result: LoadResult) => {
          child.off('exit', ended);
          resolve(result);
        });
        child.send(order);
      }),
    close: () => child.disconnect(),
  };
}
