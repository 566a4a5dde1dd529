import { loadModel, type Model } from '../inference/model.ts';
import { openPythonModel } from '../inference/python/pythonModel.ts';
import { loadRuntime } from '../inference/runtime.ts';
import type { ScorerModel } from '../protocol/scorer.ts';
import type { Watchdog } from './watchdog.ts';

/** Brings a version into memory. @throws SlipwayError `modelUnreadable` and what else hinders. */
export type OpenModel = (model: ScorerModel) => Promise<Model>;

export interface OpenModelOptions {
  /** Threads inside one run of an ONNX model. */
  readonly threads: number;
  /** How long one run of a model may take, in milliseconds. */
  readonly runMilliseconds: number;
  readonly watchdog: Watchdog;
  readonly warn: (message: string) => void;
}

/** Opens ONNX files in this process, and what only Python can run in the person's interpreter. */
export function createOpenModel({ threads, runMilliseconds, watchdog }: OpenModelOptions): OpenModel {
  return async ({ name, version, source }) => {
    // It does not block this thread, and ends its own process when a run takes too long.
    if (source.type === 'python') return openPythonModel({ name, version, ...source, runMilliseconds });
    const model = await loadModel(await loadRuntime(), { name, version, file: source.file }, { threads });
    return watched(model, watchdog);
  };
}

/** A model whose runs block this thread, so that only the watchdog can end one that takes too long. */
function watched(model: Model, watchdog: Watchdog): Model {
  return {
    ...model,
    async run(feeds) {
      watchdog.began();
      try {
        return await model.run(feeds);
      } finally {
        watchdog.ended();
      }
    },
  };
}
