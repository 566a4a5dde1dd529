import { loadModel, type Model } from '../inference/model.ts';
import { openPythonModel } from '../inference/python/pythonModel.ts';
import { loadRuntime } from '../inference/runtime.ts';
import type { EndedRun } from '../protocol/endedRun.ts';
import type { ScorerModel } from '../protocol/scorer.ts';
import type { Watchdog } from './watchdog.ts';

/**
 * Brings a version into memory.
 *
 * @param signal says that nobody wants it any more.
 * @throws SlipwayError `modelUnreadable` and what else hinders.
 */
export type OpenModel = (model: ScorerModel, signal?: AbortSignal) => Promise<Model>;

export interface OpenModelOptions {
  /** Threads inside one run of an ONNX model. */
  readonly threads: number;
  /** How long one run of a model may take, in milliseconds. */
  readonly runMilliseconds: number;
  /** How long it may take to load one that a process of its own holds, in milliseconds. */
  readonly loadMilliseconds: number;
  readonly watchdog: Watchdog;
  readonly warn: (message: string) => void;
}

/** Opens ONNX files in this process, and what only Python can run in the person's interpreter. */
export function createOpenModel({
  threads,
  runMilliseconds,
  loadMilliseconds,
  watchdog,
}: OpenModelOptions): OpenModel {
  return async ({ name, version, source }, signal) => {
    // It does not block this thread, and ends its own process when that takes too long.
    if (source.type === 'python') {
      return openPythonModel({ name, version, ...source, runMilliseconds, loadMilliseconds });
    }
    const { file } = source;
    const model = await loadModel(await loadRuntime(), { name, version, file }, { threads, signal });
    return watched(model, { model: name, version }, watchdog);
  };
}

/** A model whose runs block this thread, so that only the watchdog can end one that takes too long. */
function watched(model: Model, of: EndedRun, watchdog: Watchdog): Model {
  return {
    ...model,
    async run(feeds) {
      watchdog.began(of);
      try {
        return await model.run(feeds);
      } finally {
        watchdog.ended(of);
      }
    },
  };
}
