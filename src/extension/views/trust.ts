import { workspace } from 'vscode';
import { SlipwayError } from '../../protocol/errors.ts';

/** @throws SlipwayError workspaceUntrusted when the person has not said that they trust the workspace. */
export function requireTrust(): void {
  if (!workspace.isTrusted) throw new SlipwayError('workspaceUntrusted');
}
