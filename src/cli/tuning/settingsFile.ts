import { readFile, writeFile } from 'node:fs/promises';
import { isMap, parseDocument } from 'yaml';
import { SlipwayError } from '../../protocol/errors.ts';
import type { RuntimeChoice } from './measurement.ts';

/** How a choice is written into `slipway.yaml`, for a person to copy. */
export function settingsText(endpoint: string, choice: RuntimeChoice): string {
  const document = parseDocument('');
  document.setIn(['endpoints', endpoint, 'runtime'], document.createNode(settings(choice)));
  return String(document);
}

/**
 * Writes a choice into a `slipway.yaml`; all else in it stays as it is, comments too. The endpoint is the one of the
 * model's name, or else the one that serves it.
 *
 * @throws SlipwayError `invalidParameter` when the file is not what it should be.
 */
export async function writeSettings(file: string, model: string, choice: RuntimeChoice): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem) throw new SlipwayError('invalidParameter', { detail: `${file}: ${problem.message}` });
  const endpoints = document.get('endpoints');
  if (endpoints !== undefined && endpoints !== null && !isMap(endpoints)) {
    throw new SlipwayError('invalidParameter', { detail: `${file}: endpoints is no map.` });
  }
  const serving = isMap(endpoints)
    ? endpoints.items.find(({ value }) => isMap(value) && value.get('model') === model)
    : undefined;
  const known = isMap(endpoints) && endpoints.has(model);
  const name = known || serving === undefined ? model : String(serving.key);
  const path = ['endpoints', name];
  if (!isMap(document.getIn(path))) document.setIn(path, document.createNode({}));
  if (!isMap(document.getIn([...path, 'runtime']))) {
    document.setIn([...path, 'runtime'], document.createNode({}));
  }
  for (const [key, value] of Object.entries(settings(choice))) {
    document.setIn([...path, 'runtime', key], value);
  }
  await writeFile(file, String(document));
}

function settings({ threads, processes, batchRows }: RuntimeChoice) {
  return { threads, processes, batchRows };
}
