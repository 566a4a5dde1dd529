import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScoreReport } from '../../../src/protocol/scoring.ts';
import type { WorkerJobOf } from '../../../src/protocol/worker.ts';
import { scoreFile, type TellProgress } from '../../../src/worker/score/score.ts';
import { linearModel } from '../../fixtures/onnxFile.ts';
import { inTemporaryFolder } from '../headless.ts';

/** A folder with a model in it, and the job that is asked of it. */
export interface ScoringStage {
  readonly folder: string;
  path(name: string): string;
  /** Writes a file and gives its path. */
  put(name: string, content: string | Buffer): string;
  /** The job that scores a file of the folder into another one. */
  job(input: string, output: string, more?: Partial<ScoreJob>): ScoreJob;
  /** Scores in this process. */
  score(input: string, output: string, more?: Partial<ScoreJob>): Promise<ScoreReport>;
}

export type ScoreJob = WorkerJobOf<'score'>;

const ignore: TellProgress = () => undefined;

/**
 * Runs `work` on a stage of its own and clears it afterwards. Unless another model is given, it is `a + 2b + 3c + 0.5`,
 * called "wine", version 3.
 */
export function onScoringStage<Result>(
  work: (stage: ScoringStage) => Promise<Result>,
  model: { readonly onnx: Buffer; readonly columns: string[] | null } = {
    onnx: linearModel(),
    columns: ['a', 'b', 'c'],
  },
): Promise<Result> {
  return inTemporaryFolder(async (folder) => {
    const path = (name: string) => join(folder, name);
    const file = path('model.onnx');
    writeFileSync(file, model.onnx);
    const job = (input: string, output: string, more: Partial<ScoreJob> = {}): ScoreJob => ({
      type: 'score',
      input: path(input),
      output: path(output),
      inputFormat: null,
      outputFormat: null,
      onlyPredictions: false,
      restart: false,
      force: false,
      keepMilliseconds: 5_000,
      model: {
        name: 'wine',
        version: 3,
        source: { type: 'onnx', file },
        columns: model.columns,
        example: null,
        labels: [],
        digest: null,
      },
      ...more,
    });
    return await work({
      folder,
      path,
      put(name, content) {
        writeFileSync(path(name), content);
        return path(name);
      },
      job,
      score: (input, output, more) => scoreFile(job(input, output, more), ignore),
    });
  });
}
