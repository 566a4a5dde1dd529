import { basename } from 'node:path';
import { type ColumnFacts, isLineNumber } from './columnFacts.ts';
import { createUniqueKeys } from './uniqueKeys.ts';

/** A table of metric histories: one line for each step, or for each value. */
export interface HistoryLayout {
  /** Index of the column of the step; null: lines are counted. */
  readonly step: number | null;
  /** Of the time; null: not known. */
  readonly time: number | null;
  /** Of the run's id and name; null: all lines are of one run. */
  readonly runId: number | null;
  readonly runName: number | null;
  /** The name of the one run when no column has it. */
  readonly name: string | null;
  /** Of a table with one value a line: where the metric's name and its value are. */
  readonly long: { readonly metric: number; readonly value: number } | null;
  /** Of a table with several values a line. */
  readonly wide: readonly WideColumn[];
  /** Names of columns that are no metric. */
  readonly untaken: readonly string[];
}

export interface WideColumn {
  readonly index: number;
  readonly key: string;
  /** Of a chart with several runs: whose metric it is. */
  readonly run: string | null;
}

/** Columns that count, the finest first. */
const stepNames = ['step', 'globalstep', 'iteration', 'iter', 'batch', 'round', 'epoch', 'index'];
const timeNames = ['timestamp', 'walltime', 'time', 'datetime', 'date'];
const runIdNames = ['runid', 'runuuid'];
const runNames = ['run', 'group', 'runname', 'trial', 'trialname'];

/** Null when a table is no history. */
export function historyLayout(facts: readonly ColumnFacts[], file: string): HistoryLayout | null {
  const plain = facts.map(({ name }) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ''));
  const find = (names: readonly string[], suits: (column: ColumnFacts) => boolean) => {
    for (const name of names) {
      const index = plain.findIndex((own, at) => own === name && suits(facts[at] ?? nothing));
      if (index >= 0) return index;
    }
    return null;
  };
  const step = find(stepNames, ({ isWhole, isEmpty }) => isWhole && !isEmpty);
  const time = find(timeNames, ({ isTime, isEmpty }) => isTime && !isEmpty);
  const runId = find(runIdNames, ({ isEmpty }) => !isEmpty);
  const runName = find(runNames, ({ isEmpty }) => !isEmpty);
  const metric = find(['metric', 'metricname', 'key', 'tag'], ({ isNumeric }) => !isNumeric);
  const value = find(['value'], ({ isNumeric }) => isNumeric);
  if (metric !== null && value !== null && (step !== null || time !== null)) {
    const used = [step, time, runId, runName, metric, value];
    return {
      ...{ step, time, runId, runName },
      name: null,
      long: { metric, value },
      wide: [],
      untaken: namesBut(facts, used),
    };
  }
  if (plain.join() === 'walltime,step,value') return tensorboardScalars(file);
  const chart = chartColumns(facts);
  if (chart !== null) return chart;
  // With one line for each run there is no step in it, or each line says whose it is.
  if (step === null || (runId !== null && facts[runId]?.isUnique)) return null;
  const others = facts.flatMap((column, index) =>
    [step, time, runId, runName].includes(index) || isLineNumber(column) ? [] : [{ ...column, index }],
  );
  const hasRoles = others.some(({ name }) => /^(params|metrics|tags)\./.test(name));
  const metrics = others.filter(({ isNumeric, isEmpty }) => isNumeric && !isEmpty);
  const texts = others.filter(({ isNumeric }) => !isNumeric);
  const isSameStep = facts[step]?.isUnique === false && runId === null && runName === null && time === null;
  if (metrics.length === 0 || hasRoles || texts.length > metrics.length || (isSameStep && texts.length > 0))
    return null;
  const unique = createUniqueKeys();
  return {
    ...{ step, time, runId, runName },
    name: null,
    long: null,
    wide: metrics.map(({ index, name }) => ({ index, key: unique(name), run: null })),
    untaken: texts.filter(({ isEmpty }) => !isEmpty).map(({ name }) => name),
  };
}

const nothing: ColumnFacts = {
  name: '',
  isNumeric: false,
  isWhole: false,
  isTime: false,
  isEmpty: true,
  isUnique: false,
};

function namesBut(facts: readonly ColumnFacts[], used: readonly (number | null)[]): readonly string[] {
  return facts.filter(({ isEmpty }, index) => !used.includes(index) && !isEmpty).map(({ name }) => name);
}

/** TensorBoard's page calls the file `run-<run>-tag-<tag>.csv`. */
function tensorboardScalars(file: string): HistoryLayout {
  const [, run = null, tag = 'value'] = /^run-(.+?)-tag-(.+)\.csv$/i.exec(basename(file)) ?? [];
  const wide = [{ index: 2, key: tag, run: null }];
  return { step: 1, time: 0, runId: null, runName: null, name: run, long: null, wide, untaken: [] };
}

/**
 * A chart of Weights & Biases: the axis, then for each run `<run> - <metric>` and, where the chart shows fewer points than
 * there are, their `__MIN` and `__MAX`.
 */
function chartColumns(facts: readonly ColumnFacts[]): HistoryLayout | null {
  const [axis, ...series] = facts;
  const named = series.map(({ name }, index) => ({
    index: index + 1,
    match: /^(.+?) - (.+?)(__MIN|__MAX)?$/.exec(name),
  }));
  if (axis === undefined || series.length === 0 || named.some(({ match }) => match === null)) return null;
  if (!axis.isNumeric || axis.isEmpty) return null;
  const wide = named.flatMap(({ index, match }) => {
    const [, run = '', key = '', bound] = match ?? [];
    return bound === undefined ? [{ index, key, run }] : [];
  });
  const bounds = named
    .filter(({ match }) => match?.[3] !== undefined)
    .map(({ index }) => facts[index]?.name ?? '');
  return {
    step: axis.isWhole ? 0 : null,
    time: null,
    runId: null,
    runName: null,
    name: null,
    long: null,
    wide,
    untaken: axis.isWhole ? bounds : [axis.name, ...bounds],
  };
}
