import { basename, dirname, extname } from 'node:path';
import { SlipwayError } from '../../../protocol/errors.ts';
import type { ImportOmission } from '../../../protocol/importing.ts';
import type { ImportReader } from '../reader.ts';
import { type ByteSource, openFileSource } from '../tracker/byteSource.ts';
import { isLive } from '../tracker/liveness.ts';
import { omission } from '../tracker/omission.ts';
import { statusOf } from '../tracker/sourceFiles.ts';
import { type ColumnFacts, columnFacts } from './columnFacts.ts';
import { type HistoryLayout, historyLayout } from './historyLayout.ts';
import { readHistoryRows } from './historyRows.ts';
import { type Row, readRows, separatorOf } from './rows.ts';
import { type RunLayout, runLayout, runTableKind } from './runLayout.ts';
import { createRunRows } from './runRows.ts';

/** So much of a file is looked at to say what is in it; what follows is taken to be alike. */
const mostLookedAt = 4 * 1024 * 1024;
/** Names that tables of metrics have everywhere; with the folder above they say more. */
const genericNames: ReadonlySet<string> = new Set([
  'results',
  'metrics',
  'history',
  'log',
  'logs',
  'training',
  'runs',
  'progress',
]);

/**
 * Reads CSV exports: runs of MLflow (`mlflow.search_runs`, `mlflow experiments csv`, the pages of its server) and of
 * Weights & Biases, tables with one run a line, and histories of metrics.
 */
export const csvReader: ImportReader = {
  kind: 'csv',
  async detects(path) {
    if (!/\.(csv|tsv)$/i.test(path) || !statusOf(path)?.isFile()) return null;
    return withTable(path, mostLookedAt, ({ rows, facts, seenShare }) => {
      const layout = layoutOf(facts, path);
      if (layout === null) return null;
      const runs = 'columns' in layout ? countRows(rows()) / seenShare : countRuns(layout, rows());
      return { kind: 'csv', path, experimentCount: 1, runCount: Math.round(runs), registeredModelCount: 0 };
    });
  },
  async *read(path, { known, remaps }) {
    const found = statusOf(path);
    if (!found?.isFile())
      throw new SlipwayError('importUnreadable', { path, detail: 'there is no such file' });
    const source = openFileSource(path);
    try {
      const { header, rows, facts, openQuote } = openTable(source);
      const layout = layoutOf(facts, path);
      const file = basename(path);
      if (layout === null) {
        const detail =
          header.length === 0 ? 'it is empty' : 'no column in it has numbers that could be a metric';
        throw new SlipwayError('importUnreadable', { path, detail });
      }
      // Said in the end: what is said before a run would be taken for the run's.
      const problems: ImportOmission[] = [];
      if (openQuote !== null) {
        const detail = 'a quote that is opened here is never closed; what stands before it was taken';
        problems.push(omission(`${file} line ${openQuote}`, 'unreadable', { detail }));
      }
      const stem = basename(path, extname(path));
      const experiment = genericNames.has(stem.toLowerCase()) ? `${basename(dirname(path))}/${stem}` : stem;
      const fallbackTime = Math.floor(found.mtimeMs);
      if ('columns' in layout) {
        const rules = { source: dirname(path), servedFrom: ['mlartifacts'], remaps };
        const runRows = createRunRows({ file, experiment, layout, fallbackTime, rules });
        for (const row of rows()) {
          if (row.fields.length > header.length) {
            const detail = `it has ${row.fields.length} fields, the header has ${header.length}`;
            problems.push(omission(`${file} line ${row.line}`, 'unreadable', { detail }));
          } else yield* runRows.read(row, known);
        }
        yield* problems;
        yield* runRows.omissions();
        return;
      }
      const isOfTensorboard = layout.name !== null;
      const isGrowing = isLive(found.mtimeMs) && isWrittenInTraining(layout);
      if (isGrowing && !endsWithLine(source)) {
        const detail = 'the last line has no end, so it may be half written; it is taken when it has one';
        problems.push(omission(file, 'unreadable', { detail }));
      }
      yield* readHistoryRows(
        {
          ...{ file, layout, fallbackTime, runName: experiment },
          // TensorBoard's page makes one file for each metric of a run.
          experiment: isOfTensorboard ? basename(dirname(path)) : experiment,
          identity: isOfTensorboard ? basename(dirname(path)) : file,
        },
        () => rows(isGrowing),
        known,
      );
      yield* problems;
    } catch (error) {
      if (error instanceof SlipwayError) throw error;
      const detail = error instanceof Error ? error.message : String(error);
      throw new SlipwayError('importUnreadable', { path, detail }, { cause: error });
    } finally {
      source.close();
    }
  },
  async watched(path) {
    return [path, dirname(path)];
  },
};

/** Null when nothing in the table could be a metric, so that its lines are no runs. */
function layoutOf(facts: readonly ColumnFacts[], path: string): HistoryLayout | RunLayout | null {
  if (facts.length === 0) return null;
  const header = facts.map(({ name }) => name);
  const kind = runTableKind(header);
  const isHistory = kind === 'generic' || (kind === 'mlflowChart' && header.includes('step'));
  const history = isHistory ? historyLayout(facts, path) : null;
  if (history !== null) return history;
  const layout = runLayout(facts);
  const hasMetric = layout.columns.some(({ role }) => role === 'metric');
  return kind !== 'generic' || hasMetric ? layout : null;
}

/** A table whose lines can be gone through again and again. */
interface Table {
  readonly header: readonly string[];
  readonly facts: readonly ColumnFacts[];
  /** The line at which a quote is opened that is never closed, so that nothing behind it can be read. */
  readonly openQuote: number | null;
  /** The lines below the header. `isGrowing` as in `readRows`. */
  rows(isGrowing?: boolean): Iterable<Row>;
}

/** @param isCut whether the source is only the beginning of a file. */
function openTable(source: ByteSource, isCut = false): Table {
  const separator = separatorOf(source);
  const [first] = readRows(source, separator, isCut);
  const written = (first?.fields ?? []).map((name) => name.trim());
  const isGuarded = isOfMlflowPages(written);
  const header = isGuarded ? written.map(withoutGuard) : written;
  let openQuote: number | null = null;
  const rows = function* (isGrowing = isCut): Generator<Row> {
    const all = readRows(source, separator, isGrowing);
    // The header.
    let next = all.next();
    for (next = all.next(); !next.done; next = all.next()) {
      const { line, fields } = next.value;
      yield isGuarded ? { line, fields: fields.map(withoutGuard) } : next.value;
    }
    openQuote = next.value;
  };
  const facts = columnFacts(header, rows());
  return { header, facts, rows, openQuote };
}

/** Whether MLflow's pages wrote a table, which put a quote before texts that a spreadsheet could take for a formula. */
function isOfMlflowPages(header: readonly string[]): boolean {
  const kind = runTableKind(header);
  return kind === 'mlflowPage' || kind === 'mlflowChart';
}

/** A negative number is such a text, too. */
function withoutGuard(text: string): string {
  return /^'[=+\-@\r\t]/.test(text) ? text.slice(1) : text;
}

/** Scripts write histories of one run while they train; exports are written at once. */
function isWrittenInTraining({ runId, runName, name, long, wide }: HistoryLayout): boolean {
  return runId === null && runName === null && name === null && long === null && wide[0]?.run === null;
}

function endsWithLine(source: ByteSource): boolean {
  return source.bytes(source.size - 1, 1)?.[0] === 0x0a;
}

function withTable<Result>(
  path: string,
  most: number,
  use: (table: Table & { readonly seenShare: number }) => Result,
): Result | null {
  const source = openFileSource(path);
  try {
    const size = Math.min(source.size, most);
    const seenShare = source.size === 0 ? 1 : size / source.size;
    if (looksBinary(source.bytes(0, Math.min(size, 4096)))) return null;
    return use({ ...openTable({ ...source, size }, seenShare < 1), seenShare });
  } finally {
    source.close();
  }
}

function looksBinary(beginning: Uint8Array | null): boolean {
  return beginning?.includes(0) ?? false;
}

function countRows(rows: Iterable<Row>): number {
  let count = 0;
  for (const _ of rows) count += 1;
  return count;
}

function countRuns(layout: HistoryLayout, rows: Iterable<Row>): number {
  const column = layout.runId ?? layout.runName;
  if (column === null) return Math.max(1, new Set(layout.wide.map(({ run }) => run)).size);
  const runs = new Set<string>();
  for (const { fields } of rows) runs.add(fields[column] ?? '');
  return runs.size;
}
