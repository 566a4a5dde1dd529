import { commands, Uri } from 'vscode';
import type { ImportOmission } from '../../protocol/importing.ts';
import { localizeOmission } from '../views/errors.ts';
import { code, escaped } from '../views/markdown.ts';
import type { ReadOnlyDocuments } from '../views/readOnlyDocuments.ts';

/** What was not taken or not written. */
export interface OmissionsPage {
  /** Of the tab. */
  readonly title: string;
  readonly heading: string;
  /** The absolute path from or to which it was not. */
  readonly place: string;
  readonly omissions: readonly Omit<ImportOmission, 'type'>[];
}

/** Shows what was not taken or not written, each with its reason. */
export async function showOmissions(
  documents: ReadOnlyDocuments,
  { title, heading, place, omissions }: OmissionsPage,
): Promise<void> {
  const lines = omissions.map(
    (omission) => `- ${code(omission.subject)}  \n  ${escaped(localizeOmission(omission))}`,
  );
  const text = [`# ${escaped(heading)}`, code(place), lines.join('\n'), ''].join('\n\n');
  // The last part of the path becomes the title; and each place has a page of its own.
  const page = documents.put(`${Uri.file(place).path}/${title}`, text);
  await commands.executeCommand('markdown.showPreview', page);
}
