import { readFileSync, statSync } from 'node:fs';
import type { Tensor } from '../inference/datatypes.ts';
import { bodyFormats, readJsonQuestion } from './protocols/mlflowRequest.ts';
import type { RequestForm } from './protocols/namedTensors.ts';
import { isJsonObject, type JsonObject } from './requestBody.ts';

const largestExampleBytes = 4 * 1024 * 1024;

/**
 * The feeds of the input example that was logged with a model: a request as MLflow's server takes it, or what older
 * versions wrote: a table of `columns` and `data`, tensors by name, or one tensor (mlflow/models/utils.py).
 *
 * @throws Error when the file cannot be read or does not fit the model.
 */
export function readLoggedExample(file: string, form: RequestForm): readonly Tensor[] {
  if (statSync(file).size > largestExampleBytes) throw new Error('The file is too large.');
  const { feeds } = readJsonQuestion(asRequest(JSON.parse(readFileSync(file, 'utf8'))), form);
  if (feeds.some(({ shape }) => shape.includes(0))) throw new Error('It has no row.');
  return feeds;
}

function asRequest(example: unknown): JsonObject {
  if (!isJsonObject(example)) return { inputs: example };
  if (bodyFormats.some((format) => format in example)) return example;
  const isTable = Array.isArray(example.data) && (Array.isArray(example.columns) || !('columns' in example));
  return isTable ? { dataframe_split: example } : { inputs: example };
}
