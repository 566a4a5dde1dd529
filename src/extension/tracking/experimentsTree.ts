import { l10n, ThemeIcon } from 'vscode';
import type { ExperimentSummary, RunSummary } from '../../protocol/tracking.ts';
import { type CommandId, views } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { ErrorReporter } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { settingOf } from '../views/settings.ts';
import { tooltipOf } from '../views/tooltips.ts';
import { createLiveTree, type LiveTree } from '../views/tree.ts';
import { createNode, type TreeNode } from '../views/treeNode.ts';
import { runDescription, runTooltip, statusIcon } from './runDescription.ts';
import { runParts } from './runParts.ts';

export interface ExperimentsTree extends LiveTree {
  /** Shows the next page of the list that ends with the given "Load more" row. */
  loadMore(id: string): void;
}

export interface ExperimentsTreeOptions {
  readonly folders: EngineFolders;
  readonly errors: ErrorReporter;
  readonly formats: Formats;
}

/** The most that the engine gives in one answer. */
const mostInOneAnswer = 1000;

/** Experiments, their runs, and below a run its nested runs and what it recorded. */
export function createExperimentsTree({ folders, errors, formats }: ExperimentsTreeOptions): ExperimentsTree {
  /** How many pages of each list the person asked to see. */
  const pages = new Map<string, number>();

  const readRuns = async (client: EngineClient, experimentId: string, parentRunId: string | null) => {
    const more = moreNode(client, experimentId, parentRunId);
    const pageSize = settingOf('slipway.experiments.pageSize', client.folder);
    const wanted = pageSize * (pages.get(more.id) ?? 1);
    const runs: RunSummary[] = [];
    let cursor: string | null = null;
    do {
      const limit = Math.min(wanted - runs.length, mostInOneAnswer);
      const page: { readonly runs: readonly RunSummary[]; readonly nextCursor: string | null } =
        await client.request('tracking/runs', { experimentId, parentRunId, cursor, limit });
      runs.push(...page.runs);
      cursor = page.nextCursor;
    } while (cursor !== null && runs.length < wanted);
    const nodes = runs.map((run) => runNode(client, run));
    return cursor === null ? nodes : [...nodes, more];
  };

  const runNode = (client: EngineClient, run: RunSummary): TreeNode =>
    createNode(
      client,
      `run/${run.runId}`,
      {
        label: run.name,
        kind: run.modelCount > 0 ? 'runWithModel' : 'run',
        description: runDescription(run, formats),
        readTooltip: async () =>
          runTooltip(await client.request('tracking/run', { runId: run.runId }), formats),
        iconPath: statusIcon(run.status),
        command: {
          title: l10n.t('Open Run'),
          command: 'slipway.openRun' satisfies CommandId,
          arguments: [{ folder: client.id, runId: run.runId }],
        },
      },
      { runId: run.runId },
      async () => {
        const [children, parts] = await Promise.all([
          readRuns(client, run.experimentId, run.runId),
          runParts(client, run.runId, formats),
        ]);
        return [...children, ...parts];
      },
    );

  const moreNode = (client: EngineClient, experimentId: string, parentRunId: string | null): TreeNode => {
    const path = `more/${experimentId}/${parentRunId ?? ''}`;
    const label = l10n.t('Load more…');
    return createNode(
      client,
      path,
      {
        label,
        kind: 'more',
        iconPath: new ThemeIcon('ellipsis'),
        command: {
          title: label,
          command: 'slipway.loadMoreRuns' satisfies CommandId,
          arguments: [{ folder: client.id, id: `${client.id}/${path}` }],
        },
      },
      {},
    );
  };

  const experimentNode = (client: EngineClient, experiment: ExperimentSummary, newest: boolean): TreeNode =>
    createNode(
      client,
      `experiment/${experiment.experimentId}`,
      {
        label: experiment.name,
        kind: 'experiment',
        description: experimentDescription(experiment, formats),
        tooltip: tooltipOf(experiment.name, [
          [l10n.t('Runs'), formats.count(experiment.runCount)],
          [l10n.t('Running now'), formats.count(experiment.runningCount)],
          [l10n.t('Main metric'), experiment.mainMetric ? mainMetricText(experiment) : l10n.t('none')],
          [l10n.t('Last activity'), formats.moment(experiment.lastActivity)],
        ]),
        iconPath: new ThemeIcon('beaker'),
      },
      { experimentId: experiment.experimentId },
      () => readRuns(client, experiment.experimentId, null),
      newest,
    );

  const tree = createLiveTree({
    view: views.experiments,
    folders,
    errors,
    async roots(client) {
      const experiments = await client.request('tracking/experiments', {});
      return experiments.map((experiment, index) => experimentNode(client, experiment, index === 0));
    },
  });

  return {
    ...tree,
    loadMore(id) {
      pages.set(id, (pages.get(id) ?? 1) + 1);
      tree.refresh();
    },
  };
}

function experimentDescription(experiment: ExperimentSummary, formats: Formats): string {
  const count =
    experiment.runCount === 1 ? l10n.t('1 run') : l10n.t('{0} runs', formats.count(experiment.runCount));
  return `${count} · ${formats.age(experiment.lastActivity)}`;
}

function mainMetricText({ mainMetric }: ExperimentSummary): string {
  if (!mainMetric) return '';
  return mainMetric.higherIsBetter
    ? l10n.t('{0}, higher is better', mainMetric.key)
    : l10n.t('{0}, lower is better', mainMetric.key);
}
