import {
  commands,
  Diagnostic,
  DiagnosticSeverity,
  type Disposable,
  l10n,
  languages,
  Position,
  Range,
  Uri,
  window,
  workspace,
} from 'vscode';
import { type SettingsProblem, settingsFile } from '../../protocol/endpointSettings.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { createDisposables } from '../views/disposables.ts';
import { localizeDetail } from '../views/errors.ts';

/**
 * Shows what is wrong in `slipway.yaml` in the file itself and among the problems, as long as it is so, and tells once
 * when a file can no longer be used.
 */
export function showSettingsProblems(folders: EngineFolders): Disposable {
  const disposables = createDisposables();
  const diagnostics = disposables.add(languages.createDiagnosticCollection('slipway'));
  disposables.add(
    folders.withEach((client) => {
      const file = Uri.joinPath(client.folder.uri, settingsFile);
      const reading = client.on('serving/settingsRead', ({ problems }) => {
        const wasRight = !diagnostics.has(file);
        diagnostics.set(file, problems.map(diagnosticOf));
        if (problems.length === 0) diagnostics.delete(file);
        else if (wasRight) void tell(file, problems);
      });
      const watching = client.onDidChangeState(({ name }) => {
        // It reads the file anew.
        if (name === 'starting') diagnostics.delete(file);
      });
      return {
        dispose() {
          reading.dispose();
          watching.dispose();
          diagnostics.delete(file);
        },
      };
    }),
  );
  return disposables;
}

function diagnosticOf({ detail, ...place }: SettingsProblem): Diagnostic {
  const start = positionOf(place);
  // VS Code marks the word at an empty range.
  const diagnostic = new Diagnostic(
    new Range(start, start),
    localizeDetail(detail),
    DiagnosticSeverity.Error,
  );
  diagnostic.source = 'Slipway';
  return diagnostic;
}

function positionOf({ line, column }: Omit<SettingsProblem, 'detail'>): Position {
  return new Position(line - 1, column - 1);
}

async function tell(file: Uri, problems: readonly SettingsProblem[]): Promise<void> {
  const [first] = problems.toSorted((one, other) => one.line - other.line);
  if (!first) return;
  const { line } = first;
  const values = { file: workspace.asRelativePath(file), line, detail: localizeDetail(first.detail) };
  const what =
    problems.length === 1
      ? l10n.t('{file} has an error in line {line}: {detail}.', values)
      : l10n.t('{file} has {count} errors, the first in line {line}: {detail}.', {
          ...values,
          count: problems.length,
        });
  const open = l10n.t('Open File');
  const text = `${what} ${l10n.t('Until it is corrected, the settings that were read last stay in force.')}`;
  if ((await window.showWarningMessage(text, open)) !== open) return;
  const start = positionOf(first);
  await commands.executeCommand('vscode.open', file, { selection: new Range(start, start) });
}
