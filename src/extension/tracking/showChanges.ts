import { l10n, languages, ViewColumn, window, workspace } from 'vscode';
import type { RunTarget } from '../contributions.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';

/** Opens what was not committed when a run began, or says that there was nothing. */
export async function showChanges(
  folders: EngineFolders,
  documents: ReadOnlyDocuments,
  { folder, runId }: RunTarget,
): Promise<void> {
  const client = folders.of(folder);
  const [{ run }, changes] = await Promise.all([
    client.request('tracking/run', { runId }),
    client.request('provenance/changes', { runId }),
  ]);
  if (changes === null) {
    void window.showInformationMessage(l10n.t('No uncommitted changes were kept of the run {0}.', run.name));
    return;
  }
  const cut = changes.complete ? '' : `\n${l10n.t('There was more, which was not kept.')}\n`;
  const path = `/${encodeURIComponent(run.name)}-${runId.slice(0, 8)}.diff`;
  const document = await workspace.openTextDocument(documents.put(path, changes.text + cut));
  await languages.setTextDocumentLanguage(document, 'diff');
  await window.showTextDocument(document, { viewColumn: ViewColumn.Active, preview: true });
}
