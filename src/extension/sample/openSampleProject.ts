import { cp, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { commands, env, l10n, type Memento, ProgressLocation, Uri, window, workspace } from 'vscode';
import type { z } from 'zod';
import type { targets } from '../contributions.ts';

export interface SampleOptions {
  readonly extensionUri: Uri;
  /** Keeps which folder is to be greeted when it opens, as it opens in another window. */
  readonly memory: Memento;
}

const folderName = 'slipway-sample';
const greetKey = 'slipway.sampleToGreet';

/** Copies the sample project, its recorded runs included, to a folder that the person chooses, and opens it. */
export async function openSampleProject(
  { extensionUri, memory }: SampleOptions,
  target: z.infer<typeof targets.sample> | undefined,
): Promise<void> {
  const parent = target?.parent ?? (await chooseParent());
  if (parent === undefined) return;
  const folder = await freeFolder(parent);
  const sample = Uri.joinPath(extensionUri, 'media', 'sample').fsPath;
  await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t('Copying the sample project…') },
    () => copySample(sample, folder),
  );
  if (target?.open === false) return;
  const uri = Uri.file(folder);
  await memory.update(greetKey, uri.toString());
  const forceNewWindow = (workspace.workspaceFolders ?? []).length > 0;
  await commands.executeCommand('vscode.openFolder', uri, { forceNewWindow });
}

/** Opens the sample's README and the side bar when this window shows a sample that was just made. */
export async function greetSample(memory: Memento): Promise<void> {
  const expected = memory.get<string>(greetKey);
  const folder = workspace.workspaceFolders?.find(({ uri }) => uri.toString() === expected);
  if (!folder) return;
  await memory.update(greetKey, undefined);
  const names = (await readdir(folder.uri.fsPath)).filter((name) => /^README.*\.md$/.test(name));
  const readme = names.find((name) => name.toLowerCase() === `readme.${env.language}.md`) ?? 'README.md';
  await commands.executeCommand('workbench.view.extension.slipway');
  await commands.executeCommand('markdown.showPreview', Uri.joinPath(folder.uri, readme));
}

/** The recorded runs lie apart in the shipped sample, because a `.slipway` folder is kept out of version control. */
async function copySample(sample: string, folder: string): Promise<void> {
  const recorded = join(sample, 'recorded');
  await cp(sample, folder, { recursive: true, errorOnExist: true, filter: (path) => path !== recorded });
  const store = join(recorded, '.slipway');
  if (await exists(store)) await cp(store, join(folder, '.slipway'), { recursive: true });
}

async function chooseParent(): Promise<string | undefined> {
  const chosen = await window.showOpenDialog({
    title: l10n.t('Choose where to put the sample project'),
    openLabel: l10n.t('Put It Here'),
    canSelectFiles: false,
    canSelectFolders: true,
  });
  return chosen?.[0]?.fsPath;
}

/** The first of `slipway-sample`, `slipway-sample-2`, ... that does not exist yet. */
async function freeFolder(parent: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const folder = join(parent, number === 1 ? folderName : `${folderName}-${number}`);
    if (!(await exists(folder))) return folder;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
