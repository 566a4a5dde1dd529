import { env, l10n, ProgressLocation, Uri, window, workspace } from 'vscode';
import { settingsFile } from '../../protocol/endpointSettings.ts';
import { toSlipwayError } from '../../protocol/errors.ts';
import type { Saying } from '../../protocol/servingSentences.ts';
import {
  quickTuning,
  runtimeChoice,
  type TuningPlan,
  type TuningReport,
  tuningPlan,
} from '../../protocol/tuning.ts';
import type { EndpointTarget } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { sentenceOf } from '../views/errors.ts';
import type { Formats } from '../views/formats.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';
import { type ChosenEndpoint, chooseEndpoint, summaryOf } from './pickEndpoint.ts';
import { mayLoad } from './pythonConsent.ts';
import { saidText } from './saidText.ts';
import { choiceText, tuningDocument } from './tuningDocument.ts';

const mostRows = 65_536;

/**
 * Measures in which way the model of an endpoint runs best on this machine, shows what was measured and chosen, and
 * writes the choice into `slipway.yaml` when the person says so.
 */
export async function tuneEndpoint(
  folders: EngineFolders,
  formats: Formats,
  documents: ReadOnlyDocuments,
  target: EndpointTarget | undefined,
): Promise<void> {
  const chosen = await chooseEndpoint(folders, formats, target);
  if (!chosen) return;
  const { client, endpoint } = chosen;
  const summary = await summaryOf(chosen);
  const rows = await askRows(endpoint);
  if (rows === undefined) return;
  const effort = await askEffort(endpoint);
  if (effort === undefined) return;
  if (!(await mayLoad(client, { name: summary.modelName, version: summary.modelVersion }))) return;
  const report = await measure(chosen, tuningPlan.parse({ rows, ...effort }), formats);
  const settings = await client.request('tuning/settings', { endpoint, choice: report.choice });
  const said = (reason: Saying) => saidText(reason, formats);
  const text = tuningDocument(endpoint, report, settings, { l10n, formats, said });
  await documents.showMarkdown(`${endpoint}-${l10n.t('tuning')}`, text);
  void offer(chosen, report, settings, formats);
}

async function askRows(endpoint: string): Promise<number | undefined> {
  const read = (text: string) => {
    const rows = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
    return rows >= 1 && rows <= mostRows ? rows : null;
  };
  const text = await window.showInputBox({
    title: l10n.t('How many rows have most requests to "{0}"?', endpoint),
    prompt: l10n.t(
      'Threads, processes and batches are tried one after the other. Let the machine be quiet meanwhile.',
    ),
    value: '1',
    validateInput: (value) =>
      read(value) === null
        ? l10n.t('Enter a whole number from 1 to {0}.', mostRows.toLocaleString(env.language))
        : undefined,
  });
  return text === undefined ? undefined : (read(text) ?? undefined);
}

async function askEffort(endpoint: string): Promise<Partial<TuningPlan> | undefined> {
  const picked = await window.showQuickPick(
    [
      {
        label: l10n.t('Thorough'),
        detail: l10n.t('Two seconds each, twice: takes minutes, and tells if the machine was busy.'),
        effort: {},
      },
      {
        label: l10n.t('Quick'),
        detail: l10n.t('Each way for half a second, once: a first impression.'),
        effort: quickTuning,
      },
    ],
    { title: l10n.t('How thoroughly is "{0}" measured?', endpoint) },
  );
  return picked?.effort;
}

function measure(
  { client, endpoint }: ChosenEndpoint,
  plan: TuningPlan,
  formats: Formats,
): Thenable<TuningReport> {
  const title = l10n.t('Measuring how "{0}" runs best', endpoint);
  return window.withProgress(
    { location: ProgressLocation.Notification, title, cancellable: true },
    async (progress, cancellation) => {
      let shown = 0;
      const following = client.on('job/progress', ({ method, subject, fraction, message }) => {
        if (method !== 'tuning/measure' || subject !== endpoint) return;
        const percent = Math.floor(100 * fraction);
        const next = message === '' ? null : runtimeChoice.safeParse(JSON.parse(message)).data;
        progress.report({
          increment: Math.max(0, percent - shown),
          message: next ? choiceText(next, { l10n, formats }) : '',
        });
        shown = Math.max(shown, percent);
      });
      try {
        return await client.request('tuning/measure', { endpoint, plan }, cancellation);
      } finally {
        following.dispose();
      }
    },
  );
}

/** Beside the report, so that the person can read it first. Nobody waits for it, so its failure is told here. */
async function offer(
  chosen: ChosenEndpoint,
  { choice }: TuningReport,
  settings: string,
  formats: Formats,
): Promise<void> {
  const write = l10n.t('Write Into slipway.yaml');
  const copy = l10n.t('Copy');
  const text = l10n.t('"{0}" runs best with {1}.', chosen.endpoint, choiceText(choice, { l10n, formats }));
  const answer = await window.showInformationMessage(text, write, copy);
  try {
    if (answer === copy) await env.clipboard.writeText(settings);
    if (answer === write) await writeChoice(chosen, choice);
  } catch (error) {
    void window.showErrorMessage(sentenceOf(toSlipwayError(error)));
  }
}

async function writeChoice(
  { client, endpoint }: ChosenEndpoint,
  choice: TuningReport['choice'],
): Promise<void> {
  const uri = Uri.joinPath(client.folder.uri, settingsFile);
  // What is typed there and not saved yet would be in the way.
  const typed = workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (typed?.isDirty && !(await typed.save())) return;
  const file = await client.request('tuning/write', { endpoint, choice });
  await window.showTextDocument(Uri.file(file));
}
