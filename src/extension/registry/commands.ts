import type { Disposable } from 'vscode';
import type { EngineFolders } from '../engine/folders.ts';
import type { RegisterCommand } from '../views/commands.ts';
import { createDisposables } from '../views/disposables.ts';
import type { Formats } from '../views/formats.ts';
import { promoteVersion } from './promoteVersion.ts';
import { registerModel } from './registerModel.ts';

export interface RegistryCommandsOptions {
  readonly register: RegisterCommand;
  readonly folders: EngineFolders;
  readonly formats: Formats;
}

/** The commands on models and their versions. */
export function registerRegistryCommands({
  register,
  folders,
  formats,
}: RegistryCommandsOptions): Disposable {
  const disposables = createDisposables();
  disposables.add(register('slipway.registerModel', (target) => registerModel(folders, formats, target)));
  disposables.add(register('slipway.promoteVersion', (target) => promoteVersion(folders, formats, target)));
  return disposables;
}
