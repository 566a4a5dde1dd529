import { l10n } from 'vscode';
import type { RunSummary } from '../../protocol/tracking.ts';
import type { ExperimentTarget, RunTarget } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { Formats } from '../views/formats.ts';
import { type Choice, choose } from '../views/quickPick.ts';
import { runDescription, statusIcon } from './runDescription.ts';

const newestExperiments = 10;
const newestRuns = 20;

/** Asks for a run, by a title that says what for: those that train first, then the newest. */
export async function pickRun(
  folders: EngineFolders,
  formats: Formats,
  title = l10n.t('Choose a run'),
): Promise<RunTarget | undefined> {
  const found = await Promise.all(
    (await folders.needed()).map(async (client) => {
      const experiments = await client.request('tracking/experiments', {});
      const lists = experiments.slice(0, newestExperiments).map(async ({ experimentId, name }) => {
        const page = await client.request('tracking/runs', {
          experimentId,
          parentRunId: null,
          cursor: null,
          limit: newestRuns,
        });
        return page.runs.map((run) => ({ run, choice: runChoice(client.id, run, name, formats) }));
      });
      return (await Promise.all(lists)).flat();
    }),
  );
  const choices = found
    .flat()
    .sort(
      (one, other) =>
        Number(other.run.status === 'RUNNING') - Number(one.run.status === 'RUNNING') ||
        other.run.startTime - one.run.startTime,
    )
    .map(({ choice }) => choice);
  return choose({
    title,
    placeholder: l10n.t('Newest first'),
    choices,
    none: l10n.t('There are no runs yet. Run a training script that uses mlflow in a terminal.'),
  });
}

/** Asks for a run that logged a model, the newest first. */
export async function pickRunWithModel(
  folders: EngineFolders,
  formats: Formats,
): Promise<RunTarget | undefined> {
  const found = await Promise.all(
    (await folders.needed()).map(async (client) => {
      const runs = await client.request('tracking/runsWithModels', { limit: 200 });
      return runs.map((run) => runChoice(client.id, run, undefined, formats));
    }),
  );
  return choose({
    title: l10n.t('Choose the run whose model to register'),
    placeholder: l10n.t('Newest first'),
    choices: found.flat(),
    none: l10n.t('No run has logged a model yet. Log one with mlflow.onnx.log_model.'),
  });
}

/** Asks for an experiment, by a title that says what for: the one with the newest activity first. */
export async function pickExperiment(
  folders: EngineFolders,
  formats: Formats,
  title = l10n.t('Choose an experiment'),
): Promise<ExperimentTarget | undefined> {
  const found = await Promise.all(
    (await folders.needed()).map(async (client) => {
      const experiments = await client.request('tracking/experiments', {});
      return experiments.map((experiment) => ({
        label: experiment.name,
        description: formats.age(experiment.lastActivity),
        value: { folder: client.id, experimentId: experiment.experimentId },
      }));
    }),
  );
  return choose({
    title,
    placeholder: l10n.t('Newest activity first'),
    choices: found.flat(),
    none: l10n.t('There are no experiments yet. Run a training script that uses mlflow in a terminal.'),
  });
}

function runChoice(
  folder: string,
  run: RunSummary,
  detail: string | undefined,
  formats: Formats,
): Choice<RunTarget> {
  return {
    label: run.name,
    description: runDescription(run, formats),
    iconPath: statusIcon(run.status),
    ...(detail === undefined ? {} : { detail }),
    value: { folder, runId: run.runId },
  };
}
