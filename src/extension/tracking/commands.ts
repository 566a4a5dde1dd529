import type { Disposable } from 'vscode';
import { commands, env, l10n, Uri, window } from 'vscode';
import { systemMetricPrefix } from '../../protocol/systemMetrics.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { RegisterCommand } from '../views/commands.ts';
import { createDisposables } from '../views/disposables.ts';
import type { Formats } from '../views/formats.ts';
import type { PageHost } from '../views/pageHost.ts';
import { choose } from '../views/quickPick.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import type { ExperimentsTree } from './experimentsTree.ts';
import { pickExperiment, pickRun } from './pickRun.ts';
import { showChanges } from './showChanges.ts';

export interface TrackingCommandsOptions {
  readonly register: RegisterCommand;
  readonly folders: EngineFolders;
  readonly formats: Formats;
  readonly pages: PageHost;
  readonly documents: ReadOnlyDocuments;
  readonly tree: ExperimentsTree;
}

/** The commands on experiments and runs. */
export function registerTrackingCommands(options: TrackingCommandsOptions): Disposable {
  const { register, folders, formats, pages, documents, tree } = options;
  const disposables = createDisposables();

  disposables.add(
    register('slipway.openRun', async (target) => {
      const run = target ?? (await pickRun(folders, formats));
      if (!run) return;
      const detail = await folders.of(run.folder).request('tracking/run', { runId: run.runId });
      pages.open({ page: 'run', folder: run.folder, runId: run.runId }, detail.run.name);
    }),
  );

  disposables.add(
    register('slipway.openArtifact', async ({ folder, runId, path }) => {
      const { file } = await folders.of(folder).request('tracking/artifactFile', { runId, path });
      await commands.executeCommand('vscode.open', Uri.file(file));
    }),
  );

  disposables.add(
    register('slipway.showChanges', async (target) => {
      const run = target ?? (await pickRun(folders, formats));
      if (run) await showChanges(folders, documents, run);
    }),
  );

  disposables.add(
    register('slipway.copyRunId', async (target) => {
      const run = target ?? (await pickRun(folders, formats));
      if (!run) return;
      await env.clipboard.writeText(run.runId);
      window.setStatusBarMessage(l10n.t('The run ID was copied.'), 3_000);
    }),
  );

  disposables.add(
    register('slipway.setMainMetric', async (target) => {
      const experiment = target ?? (await pickExperiment(folders, formats));
      if (!experiment) return;
      const client = folders.of(experiment.folder);
      const { experimentId } = experiment;
      const page = await client.request('tracking/runs', {
        experimentId,
        parentRunId: null,
        cursor: null,
        limit: 10,
      });
      const details = await Promise.all(
        page.runs.map(({ runId }) => client.request('tracking/run', { runId })),
      );
      const keys = [...new Set(details.flatMap(({ metrics }) => metrics.map(({ key }) => key)))].filter(
        (key) => !key.startsWith(systemMetricPrefix),
      );
      const current = page.runs[0]?.mainMetric?.key;
      const key = await choose({
        title: l10n.t('By which metric are the runs judged?'),
        placeholder: l10n.t('Metrics of the newest runs'),
        choices: keys
          .sort((one, other) => Number(other === current) - Number(one === current))
          .map((name) => ({
            label: name,
            ...(name === current ? { description: l10n.t('now') } : {}),
            value: name,
          })),
        none: l10n.t('The runs of this experiment have logged no metrics yet.'),
      });
      if (key === undefined) return;
      const higherIsBetter = await choose({
        title: l10n.t('Which value of {0} is better?', key),
        placeholder: l10n.t('Runs are compared by it'),
        choices: [
          { label: l10n.t('Higher is better'), description: l10n.t('such as accuracy'), value: true },
          { label: l10n.t('Lower is better'), description: l10n.t('such as loss'), value: false },
        ],
        none: '',
      });
      if (higherIsBetter === undefined) return;
      await client.request('tracking/setMainMetric', { experimentId, key, higherIsBetter });
    }),
  );

  disposables.add(register('slipway.loadMoreRuns', async ({ id }) => tree.loadMore(id)));
  return disposables;
}
