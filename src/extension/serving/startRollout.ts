import { userInfo } from 'node:os';
import { l10n, ProgressLocation, window } from 'vscode';
import { SlipwayError } from '../../protocol/errors.ts';
import type { EndpointSummary } from '../../protocol/serving.ts';
import type { RolloutTarget } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { stageIcon, versionDescription } from '../registry/versionDescription.ts';
import { runCommand } from '../views/commands.ts';
import type { Formats } from '../views/formats.ts';
import { choose } from '../views/quickPick.ts';
import { chooseEndpoint } from './pickEndpoint.ts';
import { mayLoad } from './pythonConsent.ts';
import { askPlan, type ChosenPlan } from './rolloutQuestions.ts';

/**
 * Brings a version in beside the one that answers: asks which and how, and has what happens to traffic confirmed.
 *
 * @param target an endpoint, or a version whose model's endpoint is meant.
 */
export async function startRollout(
  folders: EngineFolders,
  formats: Formats,
  target: RolloutTarget | undefined,
): Promise<void> {
  const found = await findEndpoint(folders, formats, target);
  if (!found) return;
  const { client, endpoint } = found;
  const named = target?.endpoint === undefined ? target?.version : undefined;
  const candidate = named ?? (await askVersion(client, endpoint, formats));
  if (candidate === undefined) return;
  if (candidate === endpoint.modelVersion) {
    void window.showInformationMessage(
      l10n.t('Version {0} answers all requests to "{1}" already.', candidate, endpoint.name),
    );
    return;
  }
  const chosen = await askPlan(endpoint, candidate, formats);
  if (!chosen || !(await confirmed(endpoint, candidate, chosen))) return;
  if (!(await mayLoad(client, { name: endpoint.modelName, version: candidate }))) return;
  await endRunning(client, endpoint, candidate);
  const rollout = await window.withProgress(
    {
      location: ProgressLocation.Notification,
      title: l10n.t('Bringing in version {0} at "{1}"…', candidate, endpoint.name),
    },
    () =>
      client.request('serving/startRollout', {
        endpoint: endpoint.name,
        modelVersion: candidate,
        plan: chosen.plan,
        who: userInfo().username,
      }),
  );
  if (rollout.state === 'running' || rollout.state === 'paused') void offerNext(client, endpoint, candidate);
}

/** Ends the rollout of which the confirmation says so, unless it ended by itself meanwhile. */
async function endRunning(
  client: EngineClient,
  { name, rollout }: EndpointSummary,
  candidate: number,
): Promise<void> {
  if (rollout === null) return;
  const endpoints = await client.request('serving/endpoints', {});
  if (endpoints.find((one) => one.name === name)?.rollout?.id !== rollout.id) return;
  await client.request('serving/decideRollout', {
    endpoint: name,
    decision: 'rollBack',
    who: userInfo().username,
    why: '',
    replacement: candidate,
  });
}

/** Not waited for: the rollout goes on, whatever becomes of the notification. */
async function offerNext(client: EngineClient, { name }: EndpointSummary, candidate: number): Promise<void> {
  const open = l10n.t('Open Endpoint');
  const back = l10n.t('Roll Back');
  const message = l10n.t('Version {0} comes in at "{1}".', candidate, name);
  const next = await window.showInformationMessage(message, open, back);
  const argument = { folder: client.id, endpoint: name };
  if (next === open) await runCommand('slipway.openEndpoint', argument);
  if (next === back) await runCommand('slipway.rollBackRollout', argument);
}

interface FoundEndpoint {
  readonly client: EngineClient;
  readonly endpoint: EndpointSummary;
}

async function findEndpoint(
  folders: EngineFolders,
  formats: Formats,
  target: RolloutTarget | undefined,
): Promise<FoundEndpoint | undefined> {
  if (target?.endpoint === undefined && target?.model !== undefined) {
    return endpointOfModel(folders.of(target.folder), target.model, target.version);
  }
  const named =
    target?.endpoint === undefined ? undefined : { folder: target.folder, endpoint: target.endpoint };
  const chosen = await chooseEndpoint(folders, formats, named, ['ready']);
  if (!chosen) return undefined;
  const { client } = chosen;
  const endpoints = await client.request('serving/endpoints', {});
  const endpoint = endpoints.find(({ name }) => name === chosen.endpoint);
  if (endpoint?.state !== 'ready') throw new SlipwayError('endpointNotReady', { endpoint: chosen.endpoint });
  return { client, endpoint };
}

/** The ready endpoint of a model; where there is none, offers to start one. */
async function endpointOfModel(
  client: EngineClient,
  model: string,
  version: number | undefined,
): Promise<FoundEndpoint | undefined> {
  const endpoints = await client.request('serving/endpoints', {});
  const endpoint = endpoints.find(({ modelName, state }) => modelName === model && state === 'ready');
  if (endpoint) return { client, endpoint };
  const start = l10n.t('Start Endpoint');
  const answer = await window.showInformationMessage(
    l10n.t('No endpoint serves "{0}" now, so there is no traffic that a new version could come into.', model),
    start,
  );
  if (answer === start) {
    await runCommand('slipway.startEndpoint', {
      folder: client.id,
      model,
      ...(version !== undefined && { version }),
    });
  }
  return undefined;
}

async function askVersion(
  client: EngineClient,
  endpoint: EndpointSummary,
  formats: Formats,
): Promise<number | undefined> {
  const versions = await client.request('registry/versions', { name: endpoint.modelName });
  return choose({
    title: l10n.t('Which version of "{0}" is to come in?', endpoint.modelName),
    placeholder: l10n.t('Version {0} answers now', endpoint.modelVersion),
    choices: versions
      .filter(({ version }) => version !== endpoint.modelVersion)
      .map((version) => ({
        label: `v${version.version}`,
        description: versionDescription(version, false, formats),
        detail: [version.runName, formats.age(version.createdAt)].filter((part) => part !== null).join(' · '),
        iconPath: stageIcon(version.stage),
        value: version.version,
      })),
    none: l10n.t('"{0}" has no other version. Register one first.', endpoint.modelName),
  });
}

async function confirmed(
  endpoint: EndpointSummary,
  candidate: number,
  { traffic }: ChosenPlan,
): Promise<boolean> {
  const start = l10n.t('Start Rollout');
  const running = endpoint.rollout;
  const instead =
    running === null
      ? ''
      : `\n${l10n.t('The rollout of version {0} that is under way ends, and gets no more requests.', running.candidateVersion)}`;
  const answer = await window.showWarningMessage(
    l10n.t(
      'Bring version {0} in beside version {1} at "{2}"?',
      candidate,
      endpoint.modelVersion,
      endpoint.name,
    ),
    { modal: true, detail: `${traffic}${instead}` },
    start,
  );
  return answer === start;
}
