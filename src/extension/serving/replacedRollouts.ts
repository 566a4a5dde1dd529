import { commands, type Disposable, l10n, window } from 'vscode';
import type { EngineEvents } from '../../protocol/engine.ts';
import type { CommandId } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { Formats } from '../views/formats.ts';
import { saidText } from './saidText.ts';

/** Tells the person when the settings or the registry ended a rollout, which they may not have meant to end. */
export function tellReplacedRollouts(folders: EngineFolders, formats: Formats): Disposable {
  return folders.withEach((client) =>
    client.on('serving/rolloutReplaced', (replaced) => void tell(client, replaced, formats)),
  );
}

async function tell(
  client: EngineClient,
  { endpoint, version, reason }: EngineEvents['serving/rolloutReplaced'],
  formats: Formats,
): Promise<void> {
  const open = l10n.t('Open Endpoint');
  const text = l10n.t(
    'The rollout of version {0} at "{1}" was ended. {2}',
    version,
    endpoint,
    saidText(reason, formats),
  );
  if ((await window.showWarningMessage(text, open)) !== open) return;
  const command: CommandId = 'slipway.openEndpoint';
  await commands.executeCommand(command, { folder: client.id, endpoint });
}
