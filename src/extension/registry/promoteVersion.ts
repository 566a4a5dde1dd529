import { userInfo } from 'node:os';
import { l10n, ProgressLocation, window } from 'vscode';
import type { z } from 'zod';
import { type ModelVersionSummary, type Stage, stages } from '../../protocol/registry.ts';
import type { EndpointSummary } from '../../protocol/serving.ts';
import type { targets } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { EngineFolders } from '../engine/folders.ts';
import { runCommand } from '../views/commands.ts';
import type { Formats } from '../views/formats.ts';
import { choose } from '../views/quickPick.ts';
import { pickVersion, productionVersion } from './pickVersion.ts';
import { stageIcon, stageText } from './versionDescription.ts';

export type PromotionTarget = z.infer<typeof targets.promotion>;

/** Moves a version to a stage: asks which, where to and why, and has what changes production confirmed. */
export async function promoteVersion(
  folders: EngineFolders,
  formats: Formats,
  target: PromotionTarget | undefined,
): Promise<void> {
  const order = ['Staging', 'None', 'Archived', 'Production'] as const;
  const title = l10n.t('Choose the version to promote');
  const chosen = await pickVersion(folders, formats, title, order, target);
  if (!chosen) return;
  const { version } = chosen;
  const client = folders.of(chosen.folder);
  const stage = target?.stage ?? (await chooseStage(version));
  if (stage === undefined) return;
  const why = target?.why ?? (await askWhy(version, stage));
  if (why === undefined) return;
  if (!(await confirmed(client, version, stage))) return;

  const { promoted, archived } = await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t('Promoting "{0}"…', version.name) },
    () =>
      client.request('registry/promote', {
        name: version.name,
        version: version.version,
        stage,
        who: userInfo().username,
        why,
      }),
  );
  void offerNext(client, promoted, archived);
}

/** Not waited for: the command is done when the version has moved, whatever becomes of the notification. */
async function offerNext(
  client: EngineClient,
  { name, version, stage }: ModelVersionSummary,
  archived: readonly number[],
): Promise<void> {
  const start = l10n.t('Start Endpoint');
  const done = l10n.t('Version {0} of "{1}" is now in stage {2}.', version, name, stageText(stage));
  const numbers = archived.map((old) => `v${old}`).join(', ');
  const also = archived.length === 0 ? '' : ` ${l10n.t('Archived: {0}.', numbers)}`;
  const next = await window.showInformationMessage(done + also, ...(stage === 'Production' ? [start] : []));
  if (next === start) await runCommand('slipway.startEndpoint', { folder: client.id, model: name, version });
}

async function chooseStage(version: ModelVersionSummary): Promise<Stage | undefined> {
  const likeliest: readonly Stage[] =
    version.stage === 'None' ? ['Staging', 'Production'] : ['Production', 'Staging'];
  const others = stages.filter((stage) => !likeliest.includes(stage));
  return choose({
    title: l10n.t('{0} v{1}: to which stage?', version.name, version.version),
    placeholder: l10n.t('Now: {0}', stageText(version.stage)),
    choices: [...likeliest, ...others.reverse()]
      .filter((stage) => stage !== version.stage)
      .map((stage) => ({
        label: stageText(stage),
        description: stageMeaning(stage),
        iconPath: stageIcon(stage),
        value: stage,
      })),
    none: '',
  });
}

function stageMeaning(stage: Stage): string {
  switch (stage) {
    case 'None':
      return l10n.t('take it out of every stage');
    case 'Staging':
      return l10n.t('a candidate, tried before it goes live');
    case 'Production':
      return l10n.t('the one that answers for real');
    case 'Archived':
      return l10n.t('kept, no longer used');
  }
}

async function askWhy(version: ModelVersionSummary, stage: Stage): Promise<string | undefined> {
  return window.showInputBox({
    title: l10n.t('{0} v{1} to {2}: why?', version.name, version.version, stageText(stage)),
    placeHolder: l10n.t('Such as: better accuracy on the newest data'),
    prompt: l10n.t('Kept with your name and the time, so that others understand it later.'),
  });
}

/** Only what changes production, or takes a version's stage away from it, is confirmed. */
async function confirmed(client: EngineClient, version: ModelVersionSummary, stage: Stage): Promise<boolean> {
  const [versions, endpoints] = await Promise.all([
    client.request('registry/versions', { name: version.name }),
    client.request('serving/endpoints', {}),
  ]);
  const displaced = versions.filter(
    (other) =>
      other.version !== version.version &&
      other.stage === stage &&
      (stage === 'Production' || stage === 'Staging'),
  );
  const changesProduction = stage === 'Production' || version.stage === 'Production';
  if (!changesProduction && displaced.length === 0) return true;

  const detail = [
    displacementSentence(version, stage, displaced),
    stage === 'Production' && productionVersion(versions) === null
      ? l10n.t('No version of "{0}" is in production now.', version.name)
      : null,
    trafficSentence(version, stage, endpoints),
  ];
  const promote = l10n.t('Promote');
  const answer = await window.showWarningMessage(
    l10n.t('Move version {0} of "{1}" to {2}?', version.version, version.name, stageText(stage)),
    { modal: true, detail: detail.filter((sentence) => sentence !== null).join('\n') },
    promote,
  );
  return answer === promote;
}

function displacementSentence(
  version: ModelVersionSummary,
  stage: Stage,
  displaced: readonly ModelVersionSummary[],
): string | null {
  const [other] = displaced;
  if (other) {
    return l10n.t(
      'Version {0} takes the place of version {1}, which will be archived.',
      version.version,
      displaced.map((old) => old.version).join(', '),
    );
  }
  if (version.stage === 'Production' && stage !== 'Production') {
    return l10n.t('Version {0} leaves production, and no version takes its place.', version.version);
  }
  return null;
}

/** What happens to requests: an endpoint serves its version until it is started with another one. */
function trafficSentence(
  version: ModelVersionSummary,
  stage: Stage,
  endpoints: readonly EndpointSummary[],
): string {
  const endpoint = endpoints.find(({ modelName, state }) => modelName === version.name && state === 'ready');
  if (!endpoint) return l10n.t('No endpoint serves this model now, so no traffic changes.');
  if (endpoint.modelVersion === version.version || stage !== 'Production') {
    return l10n.t(
      'The endpoint "{0}" keeps serving version {1}; no traffic changes.',
      endpoint.name,
      endpoint.modelVersion,
    );
  }
  return l10n.t(
    'The endpoint "{0}" keeps serving version {1} until you start it with version {2}.',
    endpoint.name,
    endpoint.modelVersion,
    version.version,
  );
}
