import { l10n, ThemeIcon, window } from 'vscode';
import { fromErrorData } from '../../protocol/errors.ts';
import type { GarbageReport, GarbageSelection, RemovedThing } from '../../protocol/maintenance.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { sentenceOf } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { type Choice, choose } from '../views/quickPick.ts';
import { runsText } from './deleting.ts';
import { askForLong } from './longRequest.ts';
import { pickFolder } from './pickFolder.ts';

const mostOffered = 500;
const mostNamed = 10;
const monthMilliseconds = 30 * 86_400_000;

const everything: GarbageSelection = { runIds: null, experimentIds: null, olderThan: null };

/** Deletes for good what was deleted: asks what, says in a modal what will be lost, and tells what was kept and why. */
export async function deletePermanently(folders: EngineFolders, formats: Formats): Promise<void> {
  const client = await pickFolder(folders);
  if (!client) return;
  const selection = await chooseGarbage(client, formats);
  if (!selection) return;
  const found = await client.request('maintenance/garbage', selection);
  if (isEmpty(found)) {
    const reasons = found.kept.map((reason) => sentenceOf(fromErrorData(reason)));
    // A notification without buttons shows one line: the reasons would be cut off.
    const detail = reasons.slice(0, mostNamed).join('\n');
    const modal = reasons.length > 0;
    void window.showInformationMessage(l10n.t('There is nothing to delete permanently.'), { modal, detail });
    return;
  }
  const confirm = l10n.t('Delete Permanently');
  const answer = await window.showWarningMessage(
    l10n.t('Delete this permanently? It cannot be undone.'),
    { modal: true, detail: lossText(found, formats) },
    confirm,
  );
  if (answer !== confirm) return;
  const report = await askForLong(
    client,
    l10n.t('Deleting permanently…'),
    'maintenance/collectGarbage',
    selection,
    l10n.t('Deleting was cancelled. What was deleted until then is gone; delete again for the rest.'),
  );
  const freed = report.artifactBytes + report.storeBytes;
  void window.showInformationMessage(
    [
      l10n.t('Deleted permanently: {0}.', countsText(report, formats)),
      ...(freed > 0 ? [l10n.t('{0} of disk space are free again.', formats.bytes(freed))] : []),
      ...(report.kept.length > 0 ? [l10n.t('Kept: {0}.', formats.count(report.kept.length))] : []),
      ...report.kept.slice(0, 2).map((reason) => sentenceOf(fromErrorData(reason))),
    ].join(' '),
  );
}

async function chooseGarbage(client: EngineClient, formats: Formats): Promise<GarbageSelection | undefined> {
  const deleted = await client.request('maintenance/deleted', { limit: mostOffered });
  const { experiments, runs, runCount } = deleted;
  const single: readonly Choice<GarbageSelection>[] = [
    ...experiments.map(({ experimentId, name, runCount: count, deletedAt }) => ({
      label: name,
      description: `${runsText(count, formats)} · ${formats.age(deletedAt)}`,
      iconPath: new ThemeIcon('beaker'),
      value: { ...everything, experimentIds: [experimentId] },
    })),
    ...runs.map(({ runId, name, experimentName, deletedAt }) => ({
      label: name,
      description: `${experimentName} · ${formats.age(deletedAt)}`,
      iconPath: new ThemeIcon('circle-outline'),
      value: { ...everything, runIds: [runId] },
    })),
  ];
  // Logged models can be deleted by themselves, and are in no list, so this is offered always.
  const all = [
    {
      label: l10n.t('Everything that was deleted'),
      description: runsText(runCount, formats),
      iconPath: new ThemeIcon('trash'),
      value: everything,
    },
    {
      label: l10n.t('What was deleted more than 30 days ago'),
      iconPath: new ThemeIcon('history'),
      value: { ...everything, olderThan: monthMilliseconds },
    },
  ];
  return choose({
    title: l10n.t('What shall be deleted permanently?'),
    placeholder: l10n.t('Only what was deleted before'),
    choices: [...all, ...single],
    none: '',
  });
}

/** Names what will be lost, so that nobody has to guess. */
function lossText(found: GarbageReport, formats: Formats): string {
  const names = (things: readonly RemovedThing[]) => {
    const named = things
      .slice(0, mostNamed)
      .map(({ name }) => name)
      .join(', ');
    const more = things.length - mostNamed;
    return more > 0 ? `${named}, ${l10n.t('and {0} more', formats.count(more))}` : named;
  };
  const { experiments, runs, loggedModels, traceCount, artifactBytes, kept } = found;
  return [
    ...(experiments.length > 0 ? [l10n.t('Experiments: {0}', names(experiments))] : []),
    ...(runs.length > 0 ? [l10n.t('Runs: {0}', names(runs))] : []),
    ...(loggedModels.length > 0 ? [l10n.t('Logged models: {0}', names(loggedModels))] : []),
    ...(traceCount > 0 ? [l10n.t('Traces: {0}', formats.count(traceCount))] : []),
    l10n.t('Artifacts: {0}', formats.bytes(artifactBytes)),
    ...kept.slice(0, mostNamed).map((reason) => sentenceOf(fromErrorData(reason))),
  ].join('\n');
}

function countsText(
  { experiments, runs, loggedModels, traceCount }: GarbageReport,
  formats: Formats,
): string {
  return [
    ...(experiments.length > 0 ? [l10n.t('experiments: {0}', formats.count(experiments.length))] : []),
    l10n.t('runs: {0}', formats.count(runs.length)),
    ...(loggedModels.length > 0 ? [l10n.t('logged models: {0}', formats.count(loggedModels.length))] : []),
    ...(traceCount > 0 ? [l10n.t('traces: {0}', formats.count(traceCount))] : []),
  ].join(', ');
}

function isEmpty({ experiments, runs, loggedModels }: GarbageReport): boolean {
  return experiments.length + runs.length + loggedModels.length === 0;
}
