import { SlipwayError } from '../../protocol/errors.ts';

/** Uploads in progress lie here, in the store itself, so that finishing one is a rename. No artifact may use it. */
export const uploadFolder = '.uploads';

const scheme = 'mlflow-artifacts:';
const longestPath = 4096;
const longestSegmentBytes = 255;

/**
 * The segments of an artifact path, as it stands after the one decoding that HTTP does. Empty for the root.
 *
 * The rules are those of the CVEs of MLflow's artifact paths: nothing absolute, no `..`, no drive or scheme, no
 * backslash, no control character, none of `#`, `?` and `;`, and nothing that a second decoding would change.
 *
 * @throws SlipwayError `invalidParameter` when a rule is broken.
 */
export function artifactSegments(path: string): readonly string[] {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (
    path.length > longestPath ||
    path.startsWith('/') ||
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
    /[\u0000-\u001f\u007f\\#?;]/.test(path) ||
    !path.isWellFormed() ||
    changesWhenDecoded(path) ||
    /^[a-z][a-z0-9+.-]*:/i.test(segments[0] ?? '') ||
    segments[0]?.toLowerCase() === uploadFolder ||
    segments.some((segment) => segment === '..' || Buffer.byteLength(segment) > longestSegmentBytes) ||
    (process.platform === 'win32' && segments.some(misleadsWindows))
  ) {
    throw new SlipwayError('invalidParameter', { detail: 'Invalid path' });
  }
  return segments;
}

/**
 * The artifact path that a URI such as `mlflow-artifacts:/1/<run>/artifacts` names.
 *
 * @throws SlipwayError `invalidParameter` when it has another scheme, or names a host.
 */
export function artifactPathOf(uri: string): string {
  const rest = uri.startsWith(scheme) ? uri.slice(scheme.length).replace(/^\/\/(?=\/)/, '') : null;
  if (rest === null || !rest.startsWith('/') || rest.startsWith('//')) {
    throw new SlipwayError('invalidParameter', {
      detail: `The artifact location '${uri}' does not lie in this store.`,
    });
  }
  return rest.slice(1);
}

/** The URI of the folder that these segments lead to from the artifact root. */
export function artifactUri(segments: readonly string[]): string {
  return `${scheme}/${segments.join('/')}`;
}

function changesWhenDecoded(path: string): boolean {
  // One escape at a time: a stray "%" elsewhere must not hide a "%2e".
  return /%[0-9a-f]{2}/i.test(path);
}

/** Windows drops dots and spaces at an end, reads `a:b` as a stream of `a`, and reserves the names of devices. */
function misleadsWindows(segment: string): boolean {
  return /[. ]$|[:<>"|*]/.test(segment) || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(segment);
}
