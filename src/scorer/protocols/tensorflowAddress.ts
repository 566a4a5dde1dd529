import { badRequest } from '../../inference/problem.ts';
import type { VersionWish } from '../modelRepository.ts';

export const methods = ['predict', 'classify', 'regress', 'explain'] as const;
export type Method = (typeof methods)[number];

/** What an address below /v1/models points at. */
export interface TensorflowAddress {
  readonly model: string;
  readonly wish: VersionWish;
  readonly asks: Method | 'status' | 'metadata';
}

/**
 * Reads `/v1/models/{model}[/versions/{number}|/labels/{label}][:{method}|/metadata]`. What is a word of the protocol
 * may have capitals, as in TensorFlow Serving (model_servers/http_rest_api_util.cc). A model whose name ends like a
 * method (`x:predict`) cannot be addressed here.
 *
 * @param path decoded parts.
 * @returns null when the address is none of these.
 */
export function readTensorflowAddress(path: readonly string[]): TensorflowAddress | null {
  const [v1, models, ...rest] = path;
  if (!isWord(v1, 'v1') || !isWord(models, 'models') || rest.length === 0 || rest.length > 4) return null;
  const [last, method] = splitMethod(rest.at(-1) ?? '');
  const parts = [...rest.slice(0, -1), last];
  const metadata = method === null && parts.length > 1 && isWord(parts.at(-1), 'metadata');
  if (metadata) parts.pop();
  const [model = '', kind, which] = parts;
  const asks = metadata ? 'metadata' : (method ?? 'status');
  if (model === '' || parts.length === 2 || parts.length > 3) return null;
  if (kind === undefined) return { model, wish: {}, asks };
  if (which === undefined || which === '') return null;
  if (isWord(kind, 'versions')) return { model, wish: { version: which }, asks };
  if (isWord(kind, 'labels')) return { model, wish: { label: which }, asks };
  return null;
}

/** @throws RequestProblem 400, as TensorFlow Serving answers a version that is no number. */
export function checkVersion({ wish: { version } }: TensorflowAddress, method: string): void {
  if (version === undefined || /^[0-9]+$/.test(version)) return;
  throw badRequest(`Malformed request: ${method} for the version "${version}", which is no number.`);
}

function splitMethod(part: string): readonly [string, Method | null] {
  const colon = part.lastIndexOf(':');
  if (colon === -1) return [part, null];
  const method = methods.find((name) => isWord(part.slice(colon + 1), name));
  return method ? [part.slice(0, colon), method] : [part, null];
}

function isWord(part: string | undefined, word: string): boolean {
  return part?.toLowerCase() === word;
}
