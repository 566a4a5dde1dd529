/** What keys, values and names may look like, in MLflow's limits and MLflow's words. */
import { posix } from 'node:path';
import type { Detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import type { Int64 } from '../database/int64.ts';

const longestKey = 250;
const longestParameter = 6000;
const longestTag = 8000;
const longestExperimentTag = 5000;
const longestName = 500;
const longestLocation = 2048;
const batchLimits = { metrics: 1000, params: 100, tags: 100, all: 1000 } as const;

const keyPattern = /^[\p{L}\p{N}_/.\- :]*$/u;
/** A key that needs no closer look, also as a path: most are such, and metrics are logged often. */
const plainKey = /^[\w-]+(?:\/[\w-]+)*$/;
const runIdPattern = /^[a-zA-Z0-9][\w-]{0,255}$/;

/** An `invalidParameter` error with this sentence. */
export function invalid(detail: string | Detail): SlipwayError {
  return new SlipwayError('invalidParameter', { detail });
}

export function notFound(detail: string | Detail): SlipwayError {
  return new SlipwayError('notFound', { detail });
}

/**
 * Checks the key of a metric, parameter or run tag. `field` is how the request calls it, such as `metrics[0].name`;
 * `noun` is what the length message calls it.
 */
export function checkKey(key: string, noun: 'Metric name' | 'Param key' | 'Tag key', field = 'name'): void {
  if (key.length <= longestKey && plainKey.test(key)) return;
  if (key === '') throw invalid(`Missing value for required parameter '${field}'.`);
  checkLength(noun, key, longestKey);
  if (!keyPattern.test(key)) {
    throw invalid(
      `Invalid value ${JSON.stringify(key)} for parameter '${field}' supplied: Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).`,
    );
  }
  const path = posix.normalize(key).replace(/(?<=.)\/$/, '');
  if (path !== key || path === '.' || path.startsWith('..') || path.startsWith('/')) {
    throw invalid(
      `Invalid value ${JSON.stringify(key)} for parameter '${field}' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '${path}'`,
    );
  }
}

export function checkLength(noun: string, text: string, limit: number): void {
  if (text.length > limit && [...text].length > limit) {
    throw invalid(`'${noun}' exceeds the maximum length of ${limit} characters`);
  }
}

export function checkTimestamp(timestamp: Int64, key: string, value: number, field = 'timestamp'): void {
  if (timestamp < 0) {
    throw invalid(
      `Invalid value ${timestamp} for parameter '${field}' supplied: metric '${key}' (value=${pythonFloat(value)}). Timestamp must be a nonnegative long (64-bit integer) `,
    );
  }
}

/** A parameter's value; what is too long is cut, as MLflow does. */
export function parameterValue(value: string): string {
  return cut(value, longestParameter);
}

/** A run tag's value; what is too long is cut, as MLflow does. */
export function tagValue(value: string): string {
  return cut(value, longestTag);
}

export function checkExperimentTag(key: string, value: string): void {
  checkKey(key, 'Tag key', 'key');
  checkLength('value', value, longestExperimentTag);
}

export function checkExperimentName(name: string): void {
  if (name === '') throw invalid("Invalid experiment name: ''. Experiment name cannot be empty.");
  checkLength('name', name, longestName);
}

export function checkRunId(runId: string): void {
  if (!runIdPattern.test(runId)) throw invalid(`Invalid run ID: '${runId}'`);
}

/** MLflow makes the ids of logged models; none of them could be taken for a path. */
export function checkModelId(modelId: string): void {
  if (!runIdPattern.test(modelId)) throw invalid(`Invalid model ID: '${modelId}'`);
}

/** The integer inside an experiment id. */
export function experimentKey(experimentId: string): number {
  const key = Number(experimentId);
  if (/^\d+$/.test(experimentId) && Number.isSafeInteger(key)) return key;
  throw invalid(`Invalid experiment ID '${experimentId}'. Experiment ID must be a valid integer.`);
}

/** Characters that MLflow keeps out of the name of a logged model, because names become parts of `models:/` URIs. */
export function checkLoggedModelName(name: string): void {
  if (name === '' || /[/:.%"']/.test(name)) {
    throw invalid(
      `Invalid model name ('${name}') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
    );
  }
}

export function checkArtifactLocation(location: string): void {
  if (/[#;]/.test(location)) throw invalid("'artifact_location' URL can't include fragments or params.");
  if (location.includes('?')) throw invalid('Invalid query string');
  if (/(^|[/\\])(\.|%2e){2}([/\\]|$)/i.test(location)) {
    throw invalid(`Invalid artifact location: '${location}'. It must not lead upwards.`);
  }
  if (location.length > longestLocation) {
    throw invalid(
      `Invalid artifact path length. The length of the artifact path cannot be greater than ${longestLocation}.`,
    );
  }
}

/** How many entries one batch may have. */
export function checkBatchSize(metrics: number, params: number, tags: number): void {
  const check = (count: number, limit: number, noun: string) => {
    if (count <= limit) return;
    throw invalid(
      `A batch logging request can contain at most ${limit} ${noun}. Got ${count} ${noun}. Please split up ${noun} across multiple requests and try again.`,
    );
  };
  check(metrics, batchLimits.metrics, 'metrics');
  check(params, batchLimits.params, 'params');
  check(tags, batchLimits.tags, 'tags');
  check(metrics + params + tags, batchLimits.all, 'metrics, params, and tags');
}

export function checkNoDuplicates(parameters: readonly KeyValue[]): void {
  if (parameters.length < 2) return;
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { key } of parameters) (seen.has(key) ? repeated : seen).add(key);
  if (repeated.size === 0) return;
  throw invalid(
    `Duplicate parameter keys have been submitted: [${[...repeated].map((key) => `'${key}'`).join(', ')}]. Please ensure the request contains only one param value per param key.`,
  );
}

/** A double as Python writes it, for messages that clients know in Python's spelling. */
function pythonFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return `${value}.0`;
  return Number.isFinite(value) ? String(value) : String(value).toLowerCase().replace('inity', '');
}

/** Limits count characters, not UTF-16 units. */
function cut(text: string, limit: number): string {
  return text.length > limit ? [...text].slice(0, limit).join('') : text;
}
