import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { joinRows, sliceRows } from '../../inference/batching.ts';
import type { Tensor } from '../../inference/datatypes.ts';
import { loadModel, type Model } from '../../inference/model.ts';
import { convertInPython, type RowsToCheck } from '../../inference/python/conversion.ts';
import { loadRuntime } from '../../inference/runtime.ts';
import type { ConversionCheck, ConversionReport } from '../../protocol/conversion.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { WorkerJobOf } from '../../protocol/worker.ts';
import { compareOutput } from './compare.ts';

/** What a conversion gives; who asked for it knows the rest. */
export type Converted = Pick<ConversionReport, 'size' | 'facts' | 'checks'>;

/** The file in a folder that MLflow's ONNX flavour writes. */
const onnxFile = 'model.onnx';
const checkedRows = 2000;
const batchRows = 500;

/**
 * Converts a model to ONNX in the person's interpreter, then asks the runtime that would serve it for the same rows,
 * and compares. What is in the output folder is of use only when this succeeds.
 *
 * @throws SlipwayError `pythonPackagesMissing` or `conversionFailed`.
 */
export async function convertToOnnx(
  job: WorkerJobOf<'convert'>,
  progress: (fraction: number, message: string) => void,
): Promise<Converted> {
  const { name, version, output } = job;
  let model: Model | null = null;
  try {
    const checks = await convertInPython({ ...job, rows: checkedRows, progress });
    progress(0.8, 'comparing');
    const file = join(output, onnxFile);
    model = await loadModel(await loadRuntime(), { name, version, file });
    const compared: ConversionCheck[] = [];
    for (const check of checks) compared.push(await compare(model, check));
    return { size: statSync(file).size, facts: model.facts, checks: compared };
  } catch (error) {
    await rm(output, { recursive: true, force: true });
    if (error instanceof SlipwayError && !/^model/.test(error.kind)) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('conversionFailed', { model: name, version, detail }, { cause: error });
  } finally {
    await model?.close();
  }
}

async function compare(
  model: Model,
  { source, rows, skipped, feeds, expected }: RowsToCheck,
): Promise<ConversionCheck> {
  if (skipped !== null) return { source, rows, skipped, outputs: [] };
  const converted = await runInBatches(model, feeds, rows);
  const outputs = expected.flatMap(({ name, tensor }) => {
    const given = converted[model.outputs.findIndex((output) => output.name === name)];
    return given ? compareOutput(name, tensor, given) : [];
  });
  return { source, rows, skipped, outputs };
}

async function runInBatches(
  model: Model,
  feeds: readonly Tensor[],
  rows: number,
): Promise<readonly Tensor[]> {
  const batches: (readonly Tensor[])[] = [];
  for (let from = 0; from < rows; from += batchRows) {
    const to = Math.min(rows, from + batchRows);
    batches.push(await model.run(feeds.map((feed) => sliceRows(feed, from, to))));
  }
  return model.outputs.map((_, index) =>
    joinRows(batches.flatMap((outputs) => outputs.slice(index, index + 1))),
  );
}
