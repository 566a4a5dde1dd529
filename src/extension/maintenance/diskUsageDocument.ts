import { l10n } from 'vscode';
import type { DiskUsage } from '../../protocol/maintenance.ts';
import type { Formats } from '../views/formats.ts';
import { code, escaped, table } from '../views/markdown.ts';

/** Where the disk space of a folder's store goes, as Markdown. */
export function diskUsageDocument(folder: string, usage: DiskUsage, formats: Formats): string {
  const { experiments, inferenceLogs, orphans } = usage;
  const parts: readonly (readonly [string, number])[] = [
    [l10n.t('Store'), usage.storeBytes + usage.logBytes],
    [l10n.t('Artifacts of experiments'), sum(experiments.map(({ artifactBytes }) => artifactBytes))],
    [l10n.t('Logged requests of endpoints'), sum(inferenceLogs.map(({ bytes }) => bytes))],
    [l10n.t('Artifacts that belong to nothing'), sum(orphans.map(({ bytes }) => bytes))],
    [l10n.t('Stores that were replaced by restoring'), usage.replacedBytes],
  ];
  return [
    `# ${escaped(l10n.t('Disk usage of {0}', folder))}`,
    `**${escaped(formats.bytes(usage.totalBytes))}** · ${code(usage.storeFile)}`,
    table(
      [l10n.t('Part'), l10n.t('Size')],
      parts.filter(([, bytes]) => bytes > 0).map(([label, bytes]) => [label, formats.bytes(bytes)]),
    ),
    ...(usage.freeBytes > 0
      ? [l10n.t('{0} of the store are free and will be used by new runs.', formats.bytes(usage.freeBytes))]
      : []),
    `## ${l10n.t('Experiments')}`,
    table(
      [
        l10n.t('Name'),
        l10n.t('Runs'),
        l10n.t('Of these deleted'),
        l10n.t('Points of metrics'),
        l10n.t('Files'),
        l10n.t('Size'),
      ],
      experiments.map((experiment) => [
        experiment.deleted ? `${code(experiment.name)} (${l10n.t('deleted')})` : code(experiment.name),
        formats.count(experiment.runCount),
        formats.count(experiment.deletedRunCount),
        formats.count(experiment.metricPoints),
        formats.count(experiment.artifactFiles),
        formats.bytes(experiment.artifactBytes),
      ]),
    ),
    ...(inferenceLogs.length === 0
      ? []
      : [
          `## ${l10n.t('Logged requests of endpoints')}`,
          table(
            [l10n.t('Endpoint'), l10n.t('Size')],
            inferenceLogs.map(({ name, bytes }) => [code(name), formats.bytes(bytes)]),
          ),
        ]),
    ...(orphans.length === 0
      ? []
      : [
          `## ${l10n.t('Artifacts that belong to nothing')}`,
          l10n.t('No run, model or version names them. They can be deleted by hand.'),
          table(
            [l10n.t('Path'), l10n.t('Size')],
            orphans.map(({ name, bytes }) => [code(name), formats.bytes(bytes)]),
          ),
        ]),
    '',
  ].join('\n\n');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
