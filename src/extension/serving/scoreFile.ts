import { basename, dirname, extname, join } from 'node:path';
import {
  type CancellationToken,
  l10n,
  type Progress,
  ProgressLocation,
  Uri,
  window,
  workspace,
} from 'vscode';
import type { EngineParams } from '../../protocol/engine.ts';
import { toSlipwayError } from '../../protocol/errors.ts';
import {
  dataFileEndings,
  readScoreProgress,
  type ScoreProgress,
  type ScoreReport,
} from '../../protocol/scoring.ts';
import type { ScoringTarget } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { pickVersion } from '../registry/pickVersion.ts';
import { localizeDetail, sentenceOf } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import { offerFile } from './offerFile.ts';
import { mayLoad } from './pythonConsent.ts';

type ScoreParams = EngineParams<'serving/score'>;

/**
 * Writes a file with a version's predictions for each row of another one: asks for what the target does not say, the
 * version, the input and the output.
 */
export async function scoreFile(
  folders: EngineFolders,
  formats: Formats,
  target: ScoringTarget | undefined,
): Promise<void> {
  const order = ['Production', 'Staging', 'None', 'Archived'] as const;
  const { folder, model, version } = target ?? {};
  const known = folder !== undefined && model !== undefined ? { folder, model, version } : undefined;
  const title = target?.input
    ? l10n.t('Choose the version that scores {0}', basename(target.input))
    : l10n.t('Choose the version that scores');
  const chosen = await pickVersion(folders, formats, title, order, known);
  if (!chosen) return;
  const client = folders.of(chosen.folder);
  const input = target?.input ?? (await askInput(client, chosen.version.name));
  if (input === undefined) return;
  const output = target?.output ?? (await askOutput(input));
  if (output === undefined) return;
  if (!(await mayLoad(client, chosen.version))) return;
  const params: ScoreParams = {
    modelName: chosen.version.name,
    modelVersion: chosen.version.version,
    input,
    output,
    inputFormat: null,
    outputFormat: null,
    onlyPredictions: target?.onlyPredictions ?? false,
    restart: false,
    // The dialog asked before it gave a file that is there.
    force: target?.output === undefined,
  };
  await scoreTillDone(client, params, formats);
}

async function askInput(client: EngineClient, model: string): Promise<string | undefined> {
  const [chosen] =
    (await window.showOpenDialog({
      title: l10n.t('Choose the file that "{0}" is to score', model),
      openLabel: l10n.t('Score'),
      defaultUri: client.folder.uri,
      filters: { [l10n.t('Data files')]: [...Object.keys(dataFileEndings), 'gz'] },
    })) ?? [];
  return chosen?.fsPath;
}

async function askOutput(input: string): Promise<string | undefined> {
  const chosen = await window.showSaveDialog({
    title: l10n.t('Where to write the predictions'),
    saveLabel: l10n.t('Score'),
    defaultUri: Uri.file(suggestedOutput(input)),
    filters: {
      CSV: ['csv', 'tsv'],
      Parquet: ['parquet'],
      'JSON Lines': ['jsonl'],
    },
  });
  return chosen?.fsPath;
}

/** Beside the input, such as `wines-scored.csv`. */
function suggestedOutput(input: string): string {
  const name = basename(input).replace(/\.gz$/i, '');
  const ending = extname(name);
  return join(dirname(input), `${name.slice(0, name.length - ending.length)}-scored${ending}`);
}

/** Scores, and goes on or begins anew as often as the person wants. */
async function scoreTillDone(client: EngineClient, params: ScoreParams, formats: Formats): Promise<void> {
  try {
    const report = await score(client, params, formats);
    void offerOutput(report, formats);
  } catch (error) {
    const { kind } = toSlipwayError(error);
    if (kind === 'cancelled') void offerToGoOn(client, params, formats);
    else if (kind === 'scorePartialDiffers') void offerRestart(error, client, params, formats);
    else throw error;
  }
}

function score(client: EngineClient, params: ScoreParams, formats: Formats): Promise<ScoreReport> {
  const title = l10n.t(
    'Scoring {0} with "{1}" v{2}',
    basename(params.input),
    params.modelName,
    params.modelVersion,
  );
  const work = async (
    progress: Progress<{ readonly increment: number; readonly message: string }>,
    cancellation: CancellationToken,
  ) => {
    let shown = 0;
    const following = client.on('job/progress', (told) => {
      if (told.method !== 'serving/score' || told.subject !== params.output) return;
      const percent = Math.floor(100 * told.fraction);
      const now = readScoreProgress(told.message);
      progress.report({
        increment: Math.max(0, percent - shown),
        message: now ? progressText(now, formats) : '',
      });
      shown = Math.max(shown, percent);
    });
    try {
      return await client.request('serving/score', params, cancellation);
    } finally {
      following.dispose();
    }
  };
  return Promise.resolve(
    window.withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, work),
  );
}

function progressText({ phase, rows, totalRows, rowsPerSecond }: ScoreProgress, formats: Formats): string {
  switch (phase) {
    case 'reading':
      return l10n.t('reading the file');
    case 'scoring':
      return l10n.t(
        '{0} of {1} rows, {2} a second',
        formats.count(rows),
        formats.count(totalRows),
        formats.count(Math.round(rowsPerSecond)),
      );
    case 'writing':
      return l10n.t('{0} rows are scored, writing the file', formats.count(rows));
  }
}

async function offerToGoOn(client: EngineClient, params: ScoreParams, formats: Formats): Promise<void> {
  const goOn = l10n.t('Go On');
  const text = l10n.t(
    'The scoring was cancelled. What was scored until then is kept beside {0}; score again to go on from there.',
    basename(params.output),
  );
  if ((await window.showInformationMessage(text, goOn)) === goOn) await reporting(client, params, formats);
}

async function offerRestart(
  error: unknown,
  client: EngineClient,
  params: ScoreParams,
  formats: Formats,
): Promise<void> {
  const restart = l10n.t('Start Anew');
  if ((await window.showWarningMessage(sentenceOf(error), restart)) !== restart) return;
  await reporting(client, { ...params, restart: true }, formats);
}

/** Nobody waits for what a button of a notification starts, so its failure is told here. */
async function reporting(client: EngineClient, params: ScoreParams, formats: Formats): Promise<void> {
  try {
    await scoreTillDone(client, params, formats);
  } catch (error) {
    void window.showErrorMessage(sentenceOf(error));
  }
}

async function offerOutput(report: ScoreReport, formats: Formats): Promise<void> {
  const { output, rows, warnings, milliseconds } = report;
  const text = [
    l10n.t(
      '{0} rows scored in {1}: {2}.',
      formats.count(rows),
      formats.duration(milliseconds),
      workspace.asRelativePath(output),
    ),
    ...warnings.map(localizeDetail),
  ].join(' ');
  return offerFile(text, output);
}
