import { type Disposable, env, l10n, Uri, window } from 'vscode';
import type { EndpointDescription } from '../../protocol/serving.ts';
import type { CommandId, EndpointTarget } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import type { RegisterCommand } from '../views/commands.ts';
import { createDisposables } from '../views/disposables.ts';
import type { Formats } from '../views/formats.ts';
import { atOrigin, type Call, type CallToken, exampleCall } from './call.ts';
import { curlCommand } from './curl.ts';
import { externalOrigin, isRemote } from './externalOrigin.ts';
import { chooseEndpoint } from './pickEndpoint.ts';
import { pythonProgram } from './pythonProgram.ts';
import { typescriptProgram } from './typescriptProgram.ts';

export interface CopyCommandsOptions {
  readonly register: RegisterCommand;
  readonly folders: EngineFolders;
  readonly formats: Formats;
}

interface DescribedEndpoint {
  readonly client: EngineClient;
  readonly description: EndpointDescription;
}

type CopyId = Extract<CommandId, 'slipway.copyAsCurl' | 'slipway.copyAsPython' | 'slipway.copyAsTypeScript'>;

const saidMilliseconds = 3_000;

/** The commands that say how to reach an endpoint from elsewhere. */
export function registerCopyCommands({ register, folders, formats }: CopyCommandsOptions): Disposable {
  const disposables = createDisposables();

  const describe = async (target: EndpointTarget | undefined): Promise<DescribedEndpoint | undefined> => {
    const chosen = await chooseEndpoint(folders, formats, target, ['ready']);
    if (!chosen) return undefined;
    const { client, endpoint } = chosen;
    return { client, description: await client.request('serving/describe', { endpoint }) };
  };

  const copyCall = (
    id: CopyId,
    write: (call: Call) => string,
    from: CallToken['from'],
    said: (from: CallToken['from']) => string,
  ) =>
    disposables.add(
      register(id, async (target) => {
        const described = await describe(target);
        if (!described) return;
        const { description } = described;
        await env.clipboard.writeText(write(exampleCall(description, originOf(description), from)));
        if (isRemote()) void offerForOwnComputer(described, write);
        else window.setStatusBarMessage(said(from), saidMilliseconds);
      }),
    );

  disposables.add(
    register('slipway.copyEndpointAddress', async (target) => {
      const described = await describe(target);
      if (!described) return;
      const { client, description } = described;
      const origin = await externalOrigin(client, description);
      await env.clipboard.writeText(atOrigin(description.inferUrl, origin));
      window.setStatusBarMessage(l10n.t('The address was copied.'), saidMilliseconds);
    }),
  );
  disposables.add(
    register('slipway.openTryPage', async (target) => {
      const described = await describe(target);
      if (!described) return;
      const { client, description } = described;
      await externalOrigin(client, description);
      // The page takes the token from the fragment, which no server gets to see.
      const token = description.token === null ? '' : `#token=${description.token}`;
      // VS Code itself turns what it opens in the browser into the external address.
      await env.openExternal(Uri.parse(`${originOf(description)}/try${token}`, true));
    }),
  );
  copyCall('slipway.copyAsCurl', curlCommand, 'literal', () =>
    l10n.t('The curl command was copied, with its token.'),
  );
  copyCall('slipway.copyAsPython', pythonProgram, 'variable', programSaid);
  copyCall('slipway.copyAsTypeScript', typescriptProgram, 'variable', programSaid);
  return disposables;
}

/**
 * What was copied runs on the remote machine, such as in a terminal of the window; elsewhere the endpoint has another
 * address. Not waited for.
 */
async function offerForOwnComputer(
  { client, description }: DescribedEndpoint,
  write: (call: Call) => string,
): Promise<void> {
  const instead = l10n.t('Copy for My Own Computer');
  const message = l10n.t('Copied. It runs on the remote machine, such as in a terminal of this window.');
  if ((await window.showInformationMessage(message, instead)) !== instead) return;
  const origin = await externalOrigin(client, description);
  await env.clipboard.writeText(write(exampleCall(description, origin, 'literal')));
  window.setStatusBarMessage(
    l10n.t('Copied with its token, for {0}, to which the port is forwarded.', origin),
    saidMilliseconds,
  );
}

function originOf({ inferUrl }: EndpointDescription): string {
  return new URL(inferUrl).origin;
}

function programSaid(from: CallToken['from']): string {
  return from === 'literal'
    ? l10n.t('The program was copied, with its token.')
    : l10n.t('The program was copied. It takes the token from the terminals of this window.');
}
