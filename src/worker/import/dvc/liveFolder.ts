import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readRows } from '../csv/rows.ts';
import { stableId } from '../reader.ts';
import { tryOpenFile } from '../tracker/byteSource.ts';
import { isLive } from '../tracker/liveness.ts';
import { numberOf } from '../tracker/numbers.ts';
import { pathBelow, statusOf } from '../tracker/sourceFiles.ts';

/** A folder that DVCLive wrote: one run. */
export interface LiveFolder {
  readonly folder: string;
  /** Histories of metrics, `plots/metrics/**.tsv`, in the order of their names. */
  readonly histories: readonly string[];
}

/** Where histories lie in the folder of a run. */
export const historyFolder = 'plots/metrics';
export const metricsFile = 'metrics.json';
export const parametersFile = 'params.yaml';

/** The folders of runs among these files: those with histories, and those with a summary and a report or plots. */
export function liveFolders(files: readonly string[]): readonly LiveFolder[] {
  const histories = Map.groupBy(
    files.filter((file) => file.endsWith('.tsv')),
    (file) => /^(.*)[/\\]plots[/\\]metrics[/\\]/.exec(file)?.[1] ?? '',
  );
  const folders = new Set(histories.keys());
  folders.delete('');
  for (const file of files) {
    const folder = dirname(file);
    const isSummary = basename(file) === metricsFile;
    if (isSummary && (basename(folder) === 'dvclive' || existsSync(join(folder, 'plots'))))
      folders.add(folder);
  }
  return [...folders].sort().map((folder) => ({ folder, histories: histories.get(folder) ?? [] }));
}

/** The key of a metric, by the file of its history. */
export function metricKey({ folder }: LiveFolder, history: string): string {
  return pathBelow(join(folder, historyFolder), history).replace(/\.tsv$/, '');
}

/** The folder in which DVC or Git keeps its own: the project. Else the folder itself. */
export function projectRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.dvc')) || existsSync(join(at, '.git'))) return at;
    if (at === dirname(at)) return folder;
  }
}

/**
 * The id of a folder's run: from where it lies in its project, and from the first step of its histories, because the next
 * training writes into the same folder. Null while that first step is being written.
 *
 * @param mayGrow whether something may be writing into the folder.
 */
export function liveRunId(live: LiveFolder, mayGrow: boolean): string | null {
  const lastWritten = Math.max(...live.histories.map((file) => statusOf(file)?.mtimeMs ?? 0), 0);
  // DVCLive writes the summary when a step is over.
  if (mayGrow && !existsSync(join(live.folder, metricsFile)) && isLive(lastWritten)) return null;
  const first = live.histories.flatMap((file) => firstRow(file)?.map((cells) => ({ file, ...cells })) ?? []);
  const begin = Math.min(...first.map(({ step }) => step));
  const values = first
    .filter(({ step }) => step === begin)
    .map(({ file, cells }) => JSON.stringify([metricKey(live, file), ...cells]));
  return stableId('dvclive', pathBelow(projectRoot(live.folder), live.folder), ...values);
}

/** The files that say what the folder's run was. */
export function liveFiles({ folder, histories }: LiveFolder): readonly string[] {
  return [join(folder, metricsFile), join(folder, parametersFile), ...histories];
}

/** A digest over all that the folder says of its run. Line ends do not count: Git may change them. */
export function liveDigest(live: LiveFolder): string {
  const hash = createHash('sha256');
  for (const file of liveFiles(live)) {
    if (!statusOf(file)?.isFile()) continue;
    const content = readFileSync(file, 'latin1').replaceAll('\r\n', '\n');
    hash.update(JSON.stringify([pathBelow(live.folder, file), content]));
  }
  return hash.digest('hex');
}

/** A history's first line, with its step. */
function firstRow(
  file: string,
): readonly { readonly step: number; readonly cells: readonly string[] }[] | null {
  const source = tryOpenFile(file);
  if ('problem' in source) return null;
  try {
    const [header, first] = readRows(source, '\t');
    const cells = first?.fields;
    const step = numberOf(cells?.[header?.fields.indexOf('step') ?? -1] ?? '');
    return cells === undefined || step === null ? null : [{ step, cells }];
  } finally {
    source.close();
  }
}
