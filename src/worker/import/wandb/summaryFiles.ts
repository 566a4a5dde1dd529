import { join } from 'node:path';
import type { ImportOmission } from '../../../protocol/importing.ts';
import { isObject, parsePythonJson } from '../tracker/nestedValues.ts';
import { omission } from '../tracker/omission.ts';
import { readSmallFile, readYamlTexts } from '../tracker/yamlFile.ts';
import type { EnvironmentField } from './environment.ts';
import type { RunFacts } from './runFacts.ts';

/** Names in `wandb-metadata.json` and what they are called in the log. */
const metadataNames: Readonly<Record<string, EnvironmentField>> = {
  os: 'os',
  python: 'python',
  program: 'program',
  codePath: 'codePath',
  host: 'host',
  username: 'username',
  email: 'email',
  executable: 'executable',
};

/**
 * Fills in, from the files that Weights & Biases keeps beside the log, what the log does not say: older versions wrote
 * where a run ran only there, and of a damaged log they may be all that is left.
 *
 * @returns when the run began, in UTC milliseconds, if they say so; and what could not be read.
 */
export function takeSummaryFiles(
  folder: string,
  facts: RunFacts,
  subject: string,
): { readonly startTime: number | null; readonly omissions: readonly ImportOmission[] } {
  const omissions: ImportOmission[] = [];
  const read = (name: string, parse: (file: string) => unknown): Readonly<Record<string, unknown>> => {
    try {
      const content = parse(join(folder, 'files', name));
      return isObject(content) ? content : {};
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      omissions.push(omission(`${subject}/files/${name}`, 'unreadable', { detail }));
      return {};
    }
  };
  if (facts.run === null) {
    for (const [key, entry] of Object.entries(read('config.yaml', readYamlTexts))) {
      if (isObject(entry) && 'value' in entry) facts.config.set([key], entry.value);
    }
    for (const [key, value] of Object.entries(read('wandb-summary.json', readJson)))
      facts.summary.set([key], value);
  }
  const metadata = facts.environment.size === 0 ? read('wandb-metadata.json', readJson) : {};
  for (const [name, field] of Object.entries(metadataNames)) {
    const value = metadata[name];
    if (typeof value === 'string' && value !== '') facts.environment.set(field, value);
  }
  if (isObject(metadata.git)) {
    const { commit, remote } = metadata.git;
    if (typeof commit === 'string') facts.environment.set('git.commit', commit);
    if (typeof remote === 'string') facts.environment.set('git.remote', remote);
  }
  if (Array.isArray(metadata.args) && metadata.args.length > 0) {
    facts.environment.set('args', JSON.stringify(metadata.args));
  }
  const started = typeof metadata.startedAt === 'string' ? utcTime(metadata.startedAt) : Number.NaN;
  return { startTime: Number.isNaN(started) ? null : started, omissions };
}

function readJson(file: string): unknown {
  const text = readSmallFile(file);
  return text === null ? null : parsePythonJson(text);
}

/** The time is UTC, whether it says so or not. */
function utcTime(text: string): number {
  return Date.parse(/Z|[+-]\d{2}:?\d{2}$/.test(text) ? text : `${text}Z`);
}
