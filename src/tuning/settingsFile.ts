import { readFile, writeFile } from 'node:fs/promises';
import { isMap, LineCounter, parseDocument } from 'yaml';
import { SlipwayError } from '../protocol/errors.ts';
import type { RuntimeChoice } from '../protocol/tuning.ts';

/** The endpoint that a choice is for. */
export type TunedEndpoint =
  /** The one of the model's name, or else the one that serves it. */
  | { readonly model: string }
  /** This one. Where the file does not speak of it yet, it is declared to serve what it serves already. */
  | { readonly endpoint: string; readonly model: string; readonly version: number };

/** What a `slipway.yaml` says of an endpoint with a choice, for a person to copy. @param text what the file holds. */
export function settingsText(text: string, tuned: TunedEndpoint, choice: RuntimeChoice): string {
  const given = parseDocument(text);
  const endpoints = given.get('endpoints');
  const name = 'endpoint' in tuned ? tuned.endpoint : endpointOf(endpoints, tuned.model);
  const isDeclared = isMap(endpoints) && endpoints.has(name);
  const document = parseDocument('');
  document.setIn(
    ['endpoints', name],
    document.createNode({ ...(isDeclared ? {} : declaration(tuned)), runtime: settings(choice) }),
  );
  return String(document);
}

/** What a `slipway.yaml` holds; nothing when there is none. */
export async function readSettingsText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}

/**
 * Writes a choice into a `slipway.yaml`; all else in it stays as it is, comments too.
 *
 * @throws SlipwayError `settingsNotWritten` or `settingsHoldNoEndpoints` when the file is not what it should be.
 */
export async function writeSettings(
  file: string,
  tuned: TunedEndpoint,
  choice: RuntimeChoice,
): Promise<void> {
  const text = await readSettingsText(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new SlipwayError('settingsNotWritten', { file, line, column: col, detail: problem.message });
  }
  const endpoints = document.get('endpoints');
  if (endpoints !== undefined && endpoints !== null && !isMap(endpoints)) {
    throw new SlipwayError('settingsHoldNoEndpoints', { file });
  }
  const path = ['endpoints', 'endpoint' in tuned ? tuned.endpoint : endpointOf(endpoints, tuned.model)];
  if (!isMap(document.getIn(path))) {
    const isDeclared = document.hasIn(path);
    document.setIn(path, document.createNode(isDeclared ? {} : declaration(tuned)));
  }
  if (!isMap(document.getIn([...path, 'runtime']))) {
    document.setIn([...path, 'runtime'], document.createNode({}));
  }
  for (const [key, value] of Object.entries(settings(choice))) {
    document.setIn([...path, 'runtime', key], value);
  }
  await writeFile(file, String(document));
}

function endpointOf(endpoints: unknown, model: string): string {
  if (!isMap(endpoints) || endpoints.has(model)) return model;
  const serving = endpoints.items.find(({ value }) => isMap(value) && value.get('model') === model);
  return serving === undefined ? model : String(serving.key);
}

/** Without it, the endpoint would move to the version in production. */
function declaration(tuned: TunedEndpoint): Readonly<Record<string, unknown>> {
  if (!('endpoint' in tuned)) return {};
  const { endpoint, model, version } = tuned;
  return { ...(model === endpoint ? {} : { model }), stable: { version } };
}

function settings({ threads, processes, batchRows }: RuntimeChoice) {
  return { threads, processes, batchRows };
}
