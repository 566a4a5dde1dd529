import { l10n, ThemeIcon, window } from 'vscode';
import type { ExperimentTarget, RunTarget } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { pickExperiment, pickRun } from '../tracking/pickRun.ts';
import type { ErrorReporter } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { choose } from '../views/quickPick.ts';
import { pickFolder } from './pickFolder.ts';

const mostOffered = 500;

export interface DeletingOptions {
  readonly folders: EngineFolders;
  readonly formats: Formats;
  /** Told what goes wrong when the person undoes it, after the command has ended. */
  readonly errors: ErrorReporter;
}

/** Moves a run, and the runs nested in it if the person says so, to where it can be restored from. */
export async function deleteRun(
  { folders, formats, errors }: DeletingOptions,
  target: RunTarget | undefined,
): Promise<void> {
  const run = target ?? (await pickRun(folders, formats, l10n.t('Choose the run to delete')));
  if (!run) return;
  const client = folders.of(run.folder);
  const [detail, nested] = await Promise.all([
    client.request('tracking/run', { runId: run.runId }),
    client.request('maintenance/nestedRuns', { runId: run.runId }),
  ]);
  const { name } = detail.run;
  const withNested =
    nested.length === 0
      ? false
      : await choose({
          title: l10n.t('Delete "{0}": what about its nested runs?', name),
          placeholder: l10n.t('What is deleted can be restored'),
          choices: [
            {
              label: l10n.t('Delete its nested runs, too'),
              description: l10n.t('nested: {0}', formats.count(nested.length)),
              value: true,
            },
            {
              label: l10n.t('Delete only this run'),
              description: l10n.t('the nested ones move up'),
              value: false,
            },
          ],
          none: '',
        });
  if (withNested === undefined) return;
  const runIds = withNested ? [run.runId, ...nested] : [run.runId];
  await client.request('maintenance/deleteRuns', { runIds });
  offerUndo(
    runIds.length === 1
      ? l10n.t('The run "{0}" was deleted.', name)
      : l10n.t('The run "{0}" and its nested runs were deleted.', name),
    () => client.request('maintenance/restoreRuns', { runIds }),
  ).catch(errors.report);
}

/** Moves an experiment with its runs to where it can be restored from. */
export async function deleteExperiment(
  { folders, formats, errors }: DeletingOptions,
  target: ExperimentTarget | undefined,
): Promise<void> {
  const experiment =
    target ?? (await pickExperiment(folders, formats, l10n.t('Choose the experiment to delete')));
  if (!experiment) return;
  const client = folders.of(experiment.folder);
  const { experimentId } = experiment;
  const all = await client.request('tracking/experiments', {});
  const name = all.find((one) => one.experimentId === experimentId)?.name ?? experimentId;
  await client.request('maintenance/deleteExperiment', { experimentId });
  offerUndo(l10n.t('The experiment "{0}" and its runs were deleted.', name), () =>
    client.request('maintenance/restoreExperiment', { experimentId }),
  ).catch(errors.report);
}

/** Brings back a run, or an experiment with all of its runs. */
export async function restoreDeleted(folders: EngineFolders, formats: Formats): Promise<void> {
  const client = await pickFolder(folders);
  if (!client) return;
  const deleted = await client.request('maintenance/deleted', { limit: mostOffered });
  const chosen = await choose({
    title: l10n.t('What shall be restored?'),
    placeholder: l10n.t('What was deleted last comes first'),
    choices: [
      ...deleted.experiments.map(({ experimentId, name, runCount, deletedAt }) => ({
        label: name,
        description: `${runsText(runCount, formats)} · ${formats.age(deletedAt)}`,
        iconPath: new ThemeIcon('beaker'),
        deletedAt,
        value: { name, experimentId, runId: '' },
      })),
      ...deleted.runs.map(({ runId, name, experimentName, deletedAt }) => ({
        label: name,
        description: `${experimentName} · ${formats.age(deletedAt)}`,
        iconPath: new ThemeIcon('circle-outline'),
        deletedAt,
        value: { name, experimentId: '', runId },
      })),
    ].sort((one, other) => other.deletedAt - one.deletedAt),
    none: l10n.t('Nothing is deleted.'),
  });
  if (!chosen) return;
  const { name, experimentId, runId } = chosen;
  if (runId === '') await client.request('maintenance/restoreExperiment', { experimentId });
  else await client.request('maintenance/restoreRuns', { runIds: [runId] });
  void window.showInformationMessage(
    runId === ''
      ? l10n.t('The experiment "{0}" and its runs were restored.', name)
      : l10n.t('The run "{0}" was restored.', name),
  );
}

export function runsText(count: number, formats: Formats): string {
  return count === 1 ? l10n.t('1 run') : l10n.t('{0} runs', formats.count(count));
}

/** Not waited for: the command is done, whatever becomes of the notification. */
async function offerUndo(text: string, undo: () => Promise<unknown>): Promise<void> {
  const restore = l10n.t('Undo');
  if ((await window.showInformationMessage(text, restore)) === restore) await undo();
}
