/** Work that is done one piece after the other, beside everything else. */
export interface Queue {
  /** Does this once what was added before is done; what it throws is told to `failed`. */
  add(work: (signal: AbortSignal) => Promise<void>): void;
  /** Resolves once all is done that was added until then. */
  settled(): Promise<void>;
  /** Aborts what is being done and drops the rest. */
  close(): Promise<void>;
}

export function createQueue(failed: (error: unknown) => void): Queue {
  const abort = new AbortController();
  let last: Promise<void> = Promise.resolve();
  return {
    add(work) {
      last = last.then(async () => {
        if (abort.signal.aborted) return;
        try {
          await work(abort.signal);
        } catch (error) {
          if (!abort.signal.aborted) failed(error);
        }
      });
    },
    settled: () => last,
    async close() {
      abort.abort();
      await last;
    },
  };
}
