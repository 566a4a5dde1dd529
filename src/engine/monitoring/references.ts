import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReferenceSource } from '../../protocol/monitoring.ts';
import type { DatasetInput } from '../../protocol/tracking.ts';

const dataFile = /\.(csv|csv\.gz|parquet|pq)$/i;

/**
 * The datasets of a run that lie on this machine as CSV or Parquet files: those of context "training" first, else in
 * the order given, each file once. Nothing is fetched: a dataset that lies elsewhere is left out.
 *
 * @param workspace absolute path of the folder that relative paths start from.
 */
export function findReferences(datasets: readonly DatasetInput[], workspace: string): ReferenceSource[] {
  const found = new Map<string, ReferenceSource>();
  for (const dataset of [...datasets].sort((a, b) => rank(a) - rank(b))) {
    const file = localFile(dataset.source, workspace);
    if (file === null || found.has(file)) continue;
    found.set(file, { label: `${dataset.name} (${basename(file)})`, file });
  }
  return [...found.values()];
}

function rank({ context }: DatasetInput): number {
  return /^train/i.test(context) ? 0 : 1;
}

/** MLflow writes `{"uri": "..."}`, other clients a plain path or address. */
function localFile(source: string, workspace: string): string | null {
  const address = addressOf(source);
  if (address === null) return null;
  const file = pathOf(address, workspace);
  if (file === null || !dataFile.test(file)) return null;
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null;
}

function addressOf(source: string): string | null {
  if (!source.trimStart().startsWith('{')) return source === '' ? null : source;
  const parsed = parseJson(source);
  if (typeof parsed !== 'object' || parsed === null) return null;
  for (const key of ['uri', 'path', 'url']) {
    const value: unknown = Reflect.get(parsed, key);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

/** Null when the text is no JSON: then it names no file either. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function pathOf(address: string, workspace: string): string | null {
  // A single letter is a drive of Windows, not a scheme.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined) return resolve(workspace, address);
  if (scheme !== 'file' || !URL.canParse(address)) return null;
  const url = new URL(address);
  return url.host === '' || url.host === 'localhost' ? fileURLToPath(`file://${url.pathname}`) : null;
}
