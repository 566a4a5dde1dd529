import { artifactPathOf, artifactSegments } from '../tracking/artifactPath.ts';
import { invalid } from '../tracking/limits.ts';
import { isLatest } from './names.ts';

/** Where the files of a model version come from, as its `source` says. */
export type ModelSource =
  /** `models:/<model_id>`: a logged model. */
  | { readonly kind: 'loggedModel'; readonly modelId: string }
  /** `models:/name/1`, `models:/name/stage`, `models:/name@alias`: another version. */
  | { readonly kind: 'version'; readonly name: string; readonly selector: VersionSelector }
  /** `runs:/<run_id>/path`: artifacts of a run. */
  | { readonly kind: 'run'; readonly runId: string; readonly path: string }
  /** `mlflow-artifacts:/path`: files of this store. */
  | { readonly kind: 'artifacts'; readonly path: string }
  /** A bucket or the like: kept as a pointer, never fetched. */
  | { readonly kind: 'remote' }
  /** What MLflow writes where a prompt has no files. */
  | { readonly kind: 'prompt' };

export type VersionSelector =
  | { readonly by: 'number'; readonly version: number }
  | { readonly by: 'alias'; readonly alias: string }
  | { readonly by: 'stage'; readonly stage: string };

/**
 * What no version may point to: this machine's files under another name, and hosts that anybody can name. All other
 * schemes are object stores and the like, of which Slipway keeps no more than the pointer.
 */
const refusedSchemes: ReadonlySet<string> = new Set(['local', 'http', 'https', 'ftp', 'ftps', 'sftp', 'jar']);

const promptSources: ReadonlySet<string> = new Set(['dummy-source', 'prompt-template']);

/**
 * Reads the `source` of a new version. Only what cannot lead to a file of this machine outside the store, or make us ask
 * another host, is let through; the CVEs of MLflow's `model-versions/create` are the reason for each rule.
 *
 * @throws SlipwayError `invalidParameter`
 */
export function readModelSource(source: string, isPrompt: boolean): ModelSource {
  if (isPrompt) {
    if (promptSources.has(source)) return { kind: 'prompt' };
    throw invalid(`Invalid prompt source: '${source}'. Prompt sources must use an MLflow placeholder.`);
  }
  const match = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(source);
  const scheme = match?.[1];
  const rest = match?.[2] ?? '';
  // A single letter is a drive.
  if (scheme === undefined || scheme.length === 1 || scheme.toLowerCase() === 'file') {
    throw invalid(
      `Invalid model version source: '${source}'. To use a local path as a model version source, the run_id request ` +
        'parameter has to be specified and the local path has to be contained within the artifact directory of the run ' +
        'specified by the run_id.',
    );
  }
  refuseTraversal(source);
  if (scheme === 'models') return readModelsUri(source, rest);
  if (scheme === 'runs') return readRunsUri(source, rest);
  // With a host it is another server's store.
  if (scheme === 'mlflow-artifacts' && !/^\/\/[^/]/.test(rest)) {
    return { kind: 'artifacts', path: readStorePath(source) };
  }
  if (!refusedSchemes.has(scheme.toLowerCase()) && rest.startsWith('/')) return { kind: 'remote' };
  throw invalid(`Invalid model version source: '${source}'. Slipway takes no model from '${scheme}:'.`);
}

function readModelsUri(source: string, rest: string): ModelSource {
  const parts = /^\/([^/@]+)(?:@([^/@]+)|\/([^/@]+))?$/.exec(rest);
  const name = parts?.[1];
  if (name === undefined) {
    throw invalid(
      `Not a proper models:/ URI: ${source}. Models URIs must be of the form 'models:/model_name/suffix' or ` +
        "'models:/model_name@alias' where suffix is a model version, stage, or the string 'latest', or 'models:/<model_id>'.",
    );
  }
  const alias = parts?.[2];
  const suffix = parts?.[3];
  if (alias !== undefined) return { kind: 'version', name, selector: { by: 'alias', alias } };
  if (suffix === undefined) return { kind: 'loggedModel', modelId: name };
  if (/^\d{1,15}$/.test(suffix)) {
    return { kind: 'version', name, selector: { by: 'number', version: Number(suffix) } };
  }
  if (isLatest(suffix)) return { kind: 'version', name, selector: { by: 'alias', alias: suffix } };
  return { kind: 'version', name, selector: { by: 'stage', stage: suffix } };
}

function readRunsUri(source: string, rest: string): ModelSource {
  const parts = /^\/+([\w-]+)\/(.+)$/.exec(rest);
  const [, runId, path] = parts ?? [];
  if (rest.startsWith('//') || runId === undefined || path === undefined) {
    throw invalid(
      `Not a proper runs:/ URI: ${source}. Runs URIs must be of the form 'runs:/<run_id>/run-relative/path'.`,
    );
  }
  return { kind: 'run', runId, path: artifactSegments(path).join('/') };
}

function readStorePath(source: string): string {
  const path = artifactSegments(artifactPathOf(source)).join('/');
  if (path === '') throw invalid(`Invalid model version source: '${source}'. It names no folder.`);
  return path;
}

function refuseTraversal(source: string): void {
  const decoded = decodeFully(source);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
  if (decoded === null || /[\u0000-\u001f\\#?;]/.test(decoded) || decoded.split('/').includes('..')) {
    throw invalid(
      `Invalid model version source: '${source}'. If supplying a source as an http, https, local file path, ftp, ` +
        'objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references ' +
        'present. Please provide an absolute path.',
    );
  }
}

/** Decodes until nothing changes; null when that needs more rounds than anybody honest would use. */
function decodeFully(text: string): string | null {
  let decoded = text;
  for (let round = 0; round < 8; round++) {
    const next = decoded.replace(/%[0-9a-f]{2}/gi, (encoded) =>
      String.fromCharCode(Number.parseInt(encoded.slice(1), 16)),
    );
    if (next === decoded) return decoded;
    decoded = next;
  }
  return null;
}
