import type { GarbageReport, GarbageSelection, RemovedThing } from '../protocol/maintenance.ts';
import { type Command, readArguments } from './command.ts';
import { bytesText, sentenceOf, storeOptions, withStore } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const gcCommand: Command = {
  usage: `  slipway gc [--workspace DIR] [--older-than AGE] [--run ID]... [--experiment ID]... [--dry-run] [--compact] [--json]
      Deletes for good the runs, experiments and logged models that were deleted before, with their artifacts. Keeps what
      an active version of a registered model or another run still needs, and says so.
      --older-than AGE  only what was deleted so long ago, such as 30d or 2d8h
      --run ID          only this run; may be repeated
      --experiment ID   only this experiment; may be repeated
      --dry-run         only says what would be deleted
      --compact         shrinks the store's file, however long nobody else can write meanwhile`,
  run: (args) => {
    const { values } = readArguments(args, {
      options: {
        ...storeOptions,
        'older-than': { type: 'string' },
        run: { type: 'string', multiple: true },
        experiment: { type: 'string', multiple: true },
        'dry-run': { type: 'boolean' },
        compact: { type: 'boolean' },
      },
    });
    const dryRun = values['dry-run'] === true;
    const selection: GarbageSelection = {
      runIds: values.run ?? null,
      experimentIds: values.experiment ?? null,
      olderThan: values['older-than'] === undefined ? null : readAge(values['older-than']),
    };
    return withStore(values.workspace, async ({ maintenance }, control) => {
      const report = dryRun
        ? await maintenance.garbage.find(selection, control.signal)
        : await maintenance.garbage.collect(selection, values.compact ? 'always' : 'whenQuick', control);
      console.log(values.json ? JSON.stringify(report) : textOf(report, dryRun));
      return report.kept.some(({ kind }) => kind === 'folderNotRemoved') ? 1 : 0;
    });
  },
};

function textOf(report: GarbageReport, dryRun: boolean): string {
  const { experiments, runs, loggedModels, traceCount, kept, artifactBytes, storeBytes, freeBytes } = report;
  const lines = [
    ...listed('experiment', experiments),
    ...listed('run', runs),
    ...listed('logged model', loggedModels),
    ...(traceCount === 0 ? [] : [`  traces: ${traceCount}`]),
  ];
  const verb = dryRun ? 'Would delete for good' : 'Deleted for good';
  const gain = dryRun ? 'would be freed' : 'freed';
  return [
    lines.length === 0 ? 'There is nothing to delete for good.' : `${verb}:`,
    ...lines,
    ...(artifactBytes > 0 ? [`${bytesText(artifactBytes)} of artifacts ${gain}.`] : []),
    ...(storeBytes > 0 ? [`The store's file is ${bytesText(storeBytes)} smaller.`] : []),
    ...(freeBytes >= worthTellingBytes ? [freeText(freeBytes)] : []),
    ...kept.map(sentenceOf),
  ].join('\n');
}

/** Less than this inside the store's file helps nobody who looks for disk space. */
const worthTellingBytes = 1024 * 1024;

function freeText(bytes: number): string {
  return `${bytesText(bytes)} inside the store's file are free for new runs; --compact gives them back to the disk.`;
}

const mostListed = 20;

function listed(noun: string, things: readonly RemovedThing[]): readonly string[] {
  if (things.length === 0) return [];
  const lines = things.slice(0, mostListed).map(({ id, name }) => `  ${noun} ${id} (${name})`);
  return things.length > mostListed ? [...lines, `  and ${things.length - mostListed} more`] : lines;
}

/** Reads ages as `mlflow gc` does, such as `2d8h5m20s`; milliseconds. */
function readAge(text: string): number {
  const parts = /^(?=.)(?:([\d.]+)d)?(?:([\d.]+)h)?(?:([\d.]+)m)?(?:([\d.]+)s)?$/.exec(text);
  // What is no age must not become one of nothing, which is that of all that was deleted.
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = parts ?? [text, Number.NaN];
  const age =
    Number(days) * 86_400_000 +
    Number(hours) * 3_600_000 +
    Number(minutes) * 60_000 +
    Number(seconds) * 1_000;
  if (!Number.isFinite(age)) {
    throw new UsageError(`--older-than must be an age such as 30d, 8h or 2d8h5m20s, not "${text}"`);
  }
  return age;
}
