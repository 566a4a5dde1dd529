import type { ImportOmission, ImportRecord } from '../../../protocol/importing.ts';
import type { KeyValue } from '../../../protocol/tracking.ts';
import type { Keys } from '../tracker/keys.ts';
import { numberOf } from '../tracker/numbers.ts';
import type { OmissionCount } from '../tracker/omission.ts';
import type { RunPoints } from '../tracker/runPoints.ts';
import { type StepValues, takeApart } from './media.ts';
import {
  type Item,
  ownNumber,
  type RecordContent,
  readHistory,
  readStats,
  recordFields,
  timeOf,
} from './record.ts';
import type { RunFacts } from './runFacts.ts';
import { systemMetric } from './systemMetrics.ts';

/** Where a run's series go, and how far they are. */
export interface HistorySinks {
  readonly points: RunPoints;
  readonly keys: Keys;
  readonly untaken: OmissionCount;
  /** The last value of each metric, by its name. */
  readonly lastValues: Map<string, number>;
  /** Names of what is more than a value, such as histograms. */
  readonly media: Set<string>;
  readonly damages: ImportOmission[];
  lastStep: number;
  /** UTC milliseconds. */
  lastTime: number;
  /** How often the machine was measured. */
  measurements: number;
}

/** Values that say where a record belongs. */
const ownKeys: ReadonlySet<string> = new Set(['_step', '_runtime', '_timestamp', '_wandb']);

/** Takes in a history or stats record and yields the points that are full; others are left alone. @throws Error when it is malformed. */
export function* takeSeries(
  content: RecordContent,
  startTime: number,
  sinks: HistorySinks,
): Iterable<ImportRecord> {
  if (content.field === recordFields.history) {
    yield* takeHistory(readHistory(content.message), startTime, sinks);
  } else if (content.field === recordFields.stats) {
    const { time, items } = readStats(content.message);
    sinks.lastTime = Math.max(sinks.lastTime, time);
    for (const { path, value } of items) {
      if (typeof value !== 'number') continue;
      const { name, factor } = systemMetric(path.join('.'));
      yield* sinks.points.add(sinks.keys.of(name), sinks.measurements, time, value * factor);
    }
    sinks.measurements += 1;
  }
}

function* takeHistory(
  history: { readonly items: readonly Item[]; readonly step: number | null },
  startTime: number,
  sinks: HistorySinks,
): Iterable<ImportRecord> {
  const step = history.step ?? ownNumber(history.items, '_step') ?? sinks.lastStep + 1;
  const time = timeOf(history.items, startTime);
  sinks.lastStep = step;
  sinks.lastTime = Math.max(sinks.lastTime, Math.floor(time));
  const { scalars, media } = takeApart(history.items.filter(({ path }) => !ownKeys.has(path[0] ?? '')));
  for (const { type, key, hasFile } of media) {
    sinks.media.add(key);
    if (!hasFile) sinks.untaken.add(`values of type ${type} of "${key}"`);
  }
  for (const { key, value } of scalars) {
    const number = metricValue(value);
    if (number === null) {
      sinks.untaken.add(`${Array.isArray(value) ? 'lists' : 'texts'} in the history of "${key}"`);
      continue;
    }
    sinks.lastValues.set(key, number);
    yield* sinks.points.add(sinks.keys.of(key), step, time, number);
  }
}

/**
 * Yields what the summary has beyond the history: numbers that the script set by itself. Those of a metric that has a
 * history stand beside it, below `summary/`.
 */
export function* takeSummary(facts: RunFacts, sinks: HistorySinks): Iterable<ImportRecord> {
  const { scalars, media } = summaryOf(facts);
  const step = Math.max(0, sinks.lastStep);
  for (const { key, type, hasFile } of media) {
    if (!hasFile && !sinks.media.has(key))
      sinks.untaken.add(`values of type ${type} in the summary, "${key}"`);
  }
  for (const { key, value } of scalars) {
    const number = metricValue(value);
    const last = sinks.lastValues.get(key);
    if (number === null) {
      if (Array.isArray(value)) sinks.untaken.add(`lists in the summary, "${key}"`);
    } else if (last === undefined) {
      yield* sinks.points.add(sinks.keys.of(key), step, sinks.lastTime, number);
    } else if (!Object.is(last, number)) {
      yield* sinks.points.add(sinks.keys.of(`summary/${key}`), step, sinks.lastTime, number);
    }
  }
}

/** The texts of the summary, as tags. */
export function summaryTags(facts: RunFacts): readonly KeyValue[] {
  return summaryOf(facts).scalars.flatMap(({ key, value }) =>
    typeof value === 'string' && metricValue(value) === null ? [{ key: `wandb.summary.${key}`, value }] : [],
  );
}

function summaryOf(facts: RunFacts): StepValues {
  return takeApart([...facts.summary.leaves()].filter(({ path }) => !ownKeys.has(path[0] ?? '')));
}

/** Null for what is no number. Infinities and NaN can come as texts. */
function metricValue(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string') return null;
  return /^-?(nan|inf(inity)?)$/i.test(value) ? numberOf(value) : null;
}
