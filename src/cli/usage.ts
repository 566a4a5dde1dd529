import type { DiskUsage } from '../protocol/maintenance.ts';
import { type Command, readArguments } from './command.ts';
import { bytesText, storeOptions, withStore } from './storeCommand.ts';

export const usageCommand: Command = {
  usage: `  slipway usage [--workspace DIR] [--json]
      Says where the disk space goes: by experiment, inference log, and what belongs to nothing.`,
  run: (args) => {
    const { values } = readArguments(args, { options: storeOptions });
    return withStore(values.workspace, async ({ maintenance }) => {
      const usage = await maintenance.diskUsage();
      console.log(values.json ? JSON.stringify(usage) : textOf(usage));
      return 0;
    });
  },
};

function textOf(usage: DiskUsage): string {
  const experiments = usage.experiments.map((experiment) => [
    experiment.deleted ? `${experiment.name} (deleted)` : experiment.name,
    String(experiment.runCount),
    String(experiment.deletedRunCount),
    String(experiment.metricPoints),
    bytesText(experiment.artifactBytes),
  ]);
  const rows = [
    ['store', bytesText(usage.storeBytes + usage.logBytes)],
    ...(usage.freeBytes === 0 ? [] : [['  of it free', bytesText(usage.freeBytes)]]),
    ...usage.inferenceLogs.map(({ name, bytes }) => [`requests to ${name}`, bytesText(bytes)]),
    ...usage.orphans.map(({ name, bytes }) => [`belongs to nothing: artifacts/${name}`, bytesText(bytes)]),
    ...(usage.replacedBytes === 0 ? [] : [['replaced by restoring', bytesText(usage.replacedBytes)]]),
    ['all', bytesText(usage.totalBytes)],
  ];
  return [
    table([['experiment', 'runs', 'of these deleted', 'points', 'artifacts'], ...experiments]),
    '',
    table(rows),
  ].join('\n');
}

/** The first column to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column === 0 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
