import { basename } from 'node:path';
import { l10n, ProgressLocation, Uri, window } from 'vscode';
import type { z } from 'zod';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ImportDetection, ImportKind, ImportReport, LocationRemap } from '../../protocol/importing.ts';
import type { targets } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { runsText } from '../maintenance/deleting.ts';
import { askForLong } from '../maintenance/longRequest.ts';
import { pickFolder } from '../maintenance/pickFolder.ts';
import type { Formats } from '../views/formats.ts';
import { type Choice, choose } from '../views/quickPick.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import { countsText } from './countsText.ts';
import { showOmissions } from './omissionsDocument.ts';
import { stopSync } from './stopSync.ts';

export interface ImportRunsOptions {
  readonly folders: EngineFolders;
  readonly formats: Formats;
  readonly documents: ReadOnlyDocuments;
}

/** What is to be imported, and whether it is to be kept in sync afterwards. */
interface Wanted {
  readonly detection: ImportDetection;
  readonly keepInSync: boolean;
}

/**
 * Imports runs of other tools: shows what there is in the workspace, or in what the person chooses, and how much; then
 * imports it, and says what came of it.
 */
export async function importRuns(
  options: ImportRunsOptions,
  target: z.infer<typeof targets.import> | undefined,
): Promise<void> {
  const { folders } = options;
  const client = target ? folders.of(target.folder) : await pickFolder(folders);
  if (!client) return;
  const wanted = target ? await wantedOf(client, target) : await chooseWanted(options, client);
  if (wanted) await importWanted(options, client, wanted, []);
}

async function wantedOf(
  client: EngineClient,
  target: z.infer<typeof targets.import>,
): Promise<Wanted | undefined> {
  const [detection] = await detect(client, target.path);
  return detection && { detection, keepInSync: target.keepInSync ?? false };
}

/** Offers what lies in the workspace folder, and to look elsewhere. */
async function chooseWanted(
  { formats }: ImportRunsOptions,
  client: EngineClient,
): Promise<Wanted | undefined> {
  const root = Uri.parse(client.id).fsPath;
  const near = await look(client, root);
  const elsewhere: readonly Choice<Wanted | 'file' | 'folder'>[] = [
    {
      label: l10n.t('Choose a Folder…'),
      detail: l10n.t('mlruns, TensorBoard, Weights & Biases, DVC'),
      value: 'folder',
    },
    { label: l10n.t('Choose a File…'), detail: l10n.t('mlflow.db, CSV'), value: 'file' },
  ];
  const first = await choose({
    title: l10n.t('Import runs'),
    placeholder: l10n.t('Where from?'),
    choices: [...choicesOf(near, formats), ...elsewhere],
    none: '',
  });
  if (first !== 'file' && first !== 'folder') return first;
  const [chosen] =
    (await window.showOpenDialog({
      title: l10n.t('Import runs'),
      openLabel: l10n.t('Look What Is There'),
      canSelectFiles: first === 'file',
      canSelectFolders: first === 'folder',
      defaultUri: Uri.file(root),
    })) ?? [];
  if (!chosen) return undefined;
  return choose<Wanted>({
    title: l10n.t('Import runs'),
    placeholder: l10n.t('This was found'),
    choices: choicesOf(await detect(client, chosen.fsPath), formats),
    none: '',
  });
}

/** @throws SlipwayError `nothingToImport` */
async function detect(client: EngineClient, path: string): Promise<readonly ImportDetection[]> {
  const found = await look(client, path);
  if (found.length === 0) throw new SlipwayError('nothingToImport', { path });
  return found;
}

function look(client: EngineClient, path: string): Promise<readonly ImportDetection[]> {
  const title = l10n.t('Looking for runs in {0}…', basename(path));
  return Promise.resolve(
    window.withProgress({ location: ProgressLocation.Window, title }, () =>
      client.request('interop/detect', { path }),
    ),
  );
}

function choicesOf(detections: readonly ImportDetection[], formats: Formats): readonly Choice<Wanted>[] {
  return detections.flatMap((detection) => {
    const { experimentCount, registeredModelCount } = detection;
    const description = [
      kindText(detection.kind),
      runsText(detection.runCount, formats),
      l10n.t('experiments: {0}', formats.count(experimentCount)),
      ...(registeredModelCount > 0
        ? [l10n.t('registered models: {0}', formats.count(registeredModelCount))]
        : []),
    ].join(' · ');
    const name = basename(detection.path);
    return [
      {
        label: l10n.t('Import {0}', name),
        description,
        detail: detection.path,
        value: { detection, keepInSync: false },
      },
      {
        label: l10n.t('Import {0} and keep in sync', name),
        description: l10n.t('What is new there comes in by itself, until you stop it'),
        detail: detection.path,
        value: { detection, keepInSync: true },
      },
    ];
  });
}

async function importWanted(
  options: ImportRunsOptions,
  client: EngineClient,
  { detection, keepInSync }: Wanted,
  remaps: readonly LocationRemap[],
): Promise<void> {
  const { kind, path } = detection;
  const title = l10n.t('Importing {0}…', basename(path));
  const report = await askForLong(
    client,
    title,
    'interop/import',
    { kind, path, remaps: [...remaps], keepInSync },
    l10n.t('The import was cancelled. What came in until then stays; import again for the rest.'),
  );
  const show = l10n.t('Show Details');
  const remap = l10n.t('Choose Folder of Artifacts…');
  const stop = l10n.t('Stop Sync');
  const missing = keepInSync ? null : missingLocation(report);
  const buttons = [
    ...(missing === null ? [] : [remap]),
    ...(report.omissionCount > 0 ? [show] : []),
    ...(keepInSync ? [stop] : []),
  ];
  const text = sentencesOf(report, keepInSync, options.formats);
  const chosen =
    report.omissionCount > 0
      ? await window.showWarningMessage(text, ...buttons)
      : await window.showInformationMessage(text, ...buttons);
  if (chosen === show) {
    const omissions = await client.request('interop/omissions', { kind, path });
    const name = basename(path);
    await showOmissions(options.documents, {
      title: l10n.t('Not taken from {0}', name),
      heading: l10n.t('Not taken from {0}, or not as it is there', name),
      place: path,
      omissions,
    });
  }
  if (chosen === stop) await stopSync(client, { kind, path });
  if (chosen !== remap || missing === null) return;
  const [folder] =
    (await window.showOpenDialog({
      title: l10n.t('Where on this machine are the files of {0}?', missing),
      openLabel: l10n.t('Import From Here'),
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  if (!folder) return;
  const added = [...remaps, { from: missing, to: folder.fsPath }];
  await importWanted(options, client, { detection, keepInSync }, added);
}

/** A location of artifacts that the person could say where to find on this machine; null when there is none. */
function missingLocation({ omissions }: ImportReport): string | null {
  const found = omissions.find(({ reason }) => reason === 'filesElsewhere' || reason === 'filesMissing');
  return found === undefined ? null : String(found.values.location);
}

function sentencesOf(report: ImportReport, keepInSync: boolean, formats: Formats): string {
  const { omissionCount } = report;
  const counts = countsText(report, formats);
  const name = basename(report.path);
  return [
    counts === '' ? l10n.t('Nothing in {0} is new.', name) : l10n.t('Imported from {0}: {1}.', name, counts),
    ...(omissionCount > 0
      ? [l10n.t('Not taken, or not as it is there: {0}.', formats.count(omissionCount))]
      : []),
    ...(keepInSync ? [l10n.t('It is kept in sync from now on.')] : []),
  ].join(' ');
}

function kindText(kind: ImportKind): string {
  switch (kind) {
    case 'mlruns':
      return l10n.t('MLflow folder');
    case 'mlflowdb':
      return l10n.t('MLflow database');
    case 'csv':
      return l10n.t('CSV file');
    case 'tensorboard':
      return 'TensorBoard';
    case 'wandb':
      return 'Weights & Biases';
    case 'dvc':
      return 'DVC';
  }
}
