import { detail } from '../../protocol/errorDetails.ts';
import { type Stage, stages } from '../../protocol/registry.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import { invalid } from '../tracking/limits.ts';

// Limits and words as in MLflow's mlflow/utils/validation.py, on whose words its clients' tests rely.
const longestName = 256;
const longestAlias = 255;
const longestTagKey = 250;
const longestTagValue = 100_000;

/** @throws SlipwayError `invalidParameter` when a registered model cannot have this name. */
export function checkModelName(name: string, parameter = 'name'): void {
  if (name.trim() === '') {
    throw invalid(
      `Missing value for required parameter '${parameter}'. See the API docs for more information about request parameters.`,
    );
  }
  if (name.length > longestName) {
    throw invalid(`'${parameter}' exceeds the maximum length of ${longestName} characters`);
  }
  if (/[/:]/.test(name)) throw invalid(detail('modelNameCharacters', { name }));
  if (name === '.' || name === '..') {
    throw invalid(
      `Invalid value "${name}" for parameter '${parameter}' supplied: Names may not be a folder path.`,
    );
  }
}

/** @throws SlipwayError `invalidParameter` when a tag of a model or version cannot be so. */
export function checkTag(tag: KeyValue): void {
  const { key, value } = tag;
  if (!/^[\p{L}\p{N}_.\- :/]+$/u.test(key)) {
    throw invalid(
      `Invalid value "${key.slice(0, 500)}" for parameter 'key' supplied: Names may only contain alphanumerics, underscores (_), ` +
        'dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).',
    );
  }
  if (key.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw invalid(
      `Invalid value "${key}" for parameter 'key' supplied: Names may be treated as files in certain cases, and must not ` +
        'resolve to other names when treated as such.',
    );
  }
  if (key.length > longestTagKey)
    throw invalid(`'key' exceeds the maximum length of ${longestTagKey} characters`);
  if (value.length > longestTagValue) {
    throw invalid(`'value' exceeds the maximum length of ${longestTagValue} characters`);
  }
}

/** @throws SlipwayError `invalidParameter` when no alias can have this name. */
export function checkAlias(alias: string): void {
  if (!/^[\p{L}\p{N}_-]+$/u.test(alias)) {
    throw invalid(detail('aliasCharacters', { alias: alias.slice(0, 500) }));
  }
  if (alias.length > longestAlias) {
    throw invalid(`'Registered model alias name' exceeds the maximum length of ${longestAlias} characters`);
  }
}

/** @throws SlipwayError `invalidParameter` when the alias has a meaning of its own: "latest", or "v" and a number. */
export function checkAliasIsFree(alias: string): void {
  if (isLatest(alias)) throw invalid(detail('aliasLatest'));
  if (/^v\d+$/i.test(alias)) throw invalid(detail('aliasReserved', { alias }));
}

/** The alias that always means the highest version. */
export function isLatest(alias: string): boolean {
  return alias.toLowerCase() === 'latest';
}

/** @throws SlipwayError `invalidParameter` when no stage is called so, in whatever case. */
export function readStage(text: string): Stage {
  const stage = stages.find((known) => known.toLowerCase() === text.toLowerCase());
  if (stage === undefined) {
    throw invalid(`Invalid Model Version stage: ${text}. Value must be one of ${stages.join(', ')}.`);
  }
  return stage;
}

/** @throws SlipwayError `invalidParameter` when the text is no version number. */
export function readVersionNumber(text: string): number {
  if (!/^\s*[+-]?\d{1,15}\s*$/.test(text))
    throw invalid(`Parameter 'version' must be an integer, got '${text}'.`);
  return Number(text);
}
