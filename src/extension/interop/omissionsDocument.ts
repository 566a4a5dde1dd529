import { commands } from 'vscode';
import type { ImportOmission } from '../../protocol/importing.ts';
import { localizeOmission } from '../views/errors.ts';
import { code, escaped } from '../views/markdown.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';

/** Shows what was not taken or not written, each with its reason. */
export async function showOmissions(
  documents: ReadOnlyDocuments,
  title: string,
  omissions: readonly Omit<ImportOmission, 'type'>[],
): Promise<void> {
  const lines = omissions.map(
    (omission) => `- ${code(omission.subject)} ${escaped(localizeOmission(omission))}`,
  );
  const text = [`# ${escaped(title)}`, lines.join('\n'), ''].join('\n\n');
  const name = title.replaceAll(/[/\\:]/g, ' ');
  await commands.executeCommand('markdown.showPreview', documents.put(`/${name}.md`, text));
}
