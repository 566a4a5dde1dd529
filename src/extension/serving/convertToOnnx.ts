import { l10n, window } from 'vscode';
import { type ConversionReport, convertibleFlavors } from '../../protocol/conversion.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ModelVersionSummary } from '../../protocol/registry.ts';
import type { ModelTarget } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { askForLong } from '../maintenance/longRequest.ts';
import { pickVersion } from '../registry/pickVersion.ts';
import { runCommand } from '../views/commands.ts';
import type { Formats } from '../views/formats.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import { conversionDocument, differentRows } from './conversionDocument.ts';
import { mayLoad } from './pythonConsent.ts';

/** Converts a version to ONNX, shows how both differ, and registers the result when the person says so. */
export async function convertToOnnx(
  folders: EngineFolders,
  formats: Formats,
  documents: ReadOnlyDocuments,
  target: ModelTarget | undefined,
): Promise<void> {
  const order = ['Production', 'Staging', 'None', 'Archived'] as const;
  const title = l10n.t('Choose the version to convert to ONNX');
  const chosen = await pickVersion(folders, formats, title, order, target, {
    suits: isConvertible,
    none: l10n.t(
      'No version can be converted to ONNX: register a model of scikit-learn, XGBoost or LightGBM first.',
    ),
  });
  if (!chosen) return;
  const { name, version, flavors } = chosen.version;
  if (!isConvertible(chosen.version)) {
    throw new SlipwayError('notConvertible', { model: name, version, flavors: flavors.join(', ') });
  }
  const client = folders.of(chosen.folder);
  if (!(await mayLoad(client, chosen.version))) return;
  const working = l10n.t('Converting "{0}" v{1} to ONNX…', name, version);
  const report = await askForLong(client, working, 'conversion/convert', { name, version });
  await documents.showMarkdown(`${name}-v${version}-onnx`, conversionDocument(report, formats));
  await decide(client, report, formats);
}

function isConvertible({ flavors }: ModelVersionSummary): boolean {
  return !flavors.includes('onnx') && convertibleFlavors.some((flavor) => flavors.includes(flavor));
}

/** Beside the report, so that the person can read it before they answer. No answer is a no. */
async function decide(client: EngineClient, report: ConversionReport, formats: Formats): Promise<void> {
  const { id, modelName, modelVersion } = report;
  const register = l10n.t('Register as New Version');
  const different = differentRows(report);
  const answer =
    different === 0
      ? await window.showInformationMessage(
          l10n.t('The ONNX model answers as version {0} of "{1}" does.', modelVersion, modelName),
          register,
          l10n.t('Discard'),
        )
      : await window.showWarningMessage(
          l10n.t(
            'The ONNX model differs from version {0} of "{1}" in {2} rows; the report shows how.',
            modelVersion,
            modelName,
            formats.count(different),
          ),
          register,
          l10n.t('Discard'),
        );
  if (answer !== register) {
    await client.request('conversion/discard', { id });
    return;
  }
  const { name, version } = await client.request('conversion/register', { id });
  void offerNext(client, name, version);
}

/** Not waited for: the command is done when the version is there, whatever becomes of the notification. */
async function offerNext(client: EngineClient, name: string, version: number): Promise<void> {
  const serve = l10n.t('Start Endpoint');
  const message = l10n.t('Version {0} of "{1}" is registered.', version, name);
  const next = await window.showInformationMessage(message, serve);
  if (next === serve) await runCommand('slipway.startEndpoint', { folder: client.id, model: name, version });
}
