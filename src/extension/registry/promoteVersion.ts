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
  const endpoints = await client.request('serving/endpoints', {});
  if (!(await confirmed(client, version, stage, endpoints))) return;

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
  const follower = endpoints.find(
    (endpoint) =>
      endpoint.modelName === promoted.name &&
      endpoint.state === 'ready' &&
      takesOver(endpoint, stage, promoted.version),
  );
  void offerNext(client, promoted, archived, follower?.name ?? null);
}

/**
 * Not waited for: the command is done when the version has moved, whatever becomes of the notification.
 *
 * @param follower the endpoint at which the version comes in by itself, or null.
 */
async function offerNext(
  client: EngineClient,
  { name, version, stage }: ModelVersionSummary,
  archived: readonly number[],
  follower: string | null,
): Promise<void> {
  const start = l10n.t('Start Endpoint');
  const open = l10n.t('Open Endpoint');
  const done = l10n.t('Version {0} of "{1}" is now in stage {2}.', version, name, stageText(stage));
  const numbers = archived.map((old) => `v${old}`).join(', ');
  const also = archived.length === 0 ? '' : ` ${l10n.t('Archived: {0}.', numbers)}`;
  const offered = follower !== null ? [open] : stage === 'Production' ? [start] : [];
  const next = await window.showInformationMessage(done + also, ...offered);
  if (next === open && follower !== null) {
    await runCommand('slipway.openEndpoint', { folder: client.id, endpoint: follower });
  }
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
    // One looks at the runs while writing it.
    ignoreFocusOut: true,
  });
}

/** Only what changes production, or takes a version's stage away from it, is confirmed. */
async function confirmed(
  client: EngineClient,
  version: ModelVersionSummary,
  stage: Stage,
  endpoints: readonly EndpointSummary[],
): Promise<boolean> {
  const versions = await client.request('registry/versions', { name: version.name });
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
    ...trafficSentences(version, stage, endpoints),
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

/** What happens to requests: one sentence for each endpoint that serves the model. */
function trafficSentences(
  version: ModelVersionSummary,
  stage: Stage,
  endpoints: readonly EndpointSummary[],
): readonly string[] {
  const serving = endpoints.filter(({ modelName, state }) => modelName === version.name && state === 'ready');
  if (serving.length === 0) return [l10n.t('No endpoint serves this model now, so no traffic changes.')];
  return serving.map((endpoint) => trafficSentence(version, stage, endpoint));
}

/** An endpoint serves its version until it is started with another one, unless `slipway.yaml` says otherwise. */
function trafficSentence({ version }: ModelVersionSummary, stage: Stage, endpoint: EndpointSummary): string {
  const { name, modelVersion, declared } = endpoint;
  if (takesOver(endpoint, stage, version)) {
    return l10n.t(
      'The endpoint "{0}" follows this stage: version {1} comes in for version {2}, as slipway.yaml says.',
      name,
      version,
      modelVersion,
    );
  }
  if (modelVersion === version || stage !== 'Production') {
    // What is declared may try a version of another stage beside its own.
    return declared
      ? l10n.t('The endpoint "{0}" keeps serving version {1}.', name, modelVersion)
      : l10n.t('The endpoint "{0}" keeps serving version {1}; no traffic changes.', name, modelVersion);
  }
  return declared
    ? l10n.t(
        'The endpoint "{0}" keeps serving version {1}, as slipway.yaml does not let it follow this stage.',
        name,
        modelVersion,
      )
    : l10n.t(
        'The endpoint "{0}" keeps serving version {1} until you start it with version {2}.',
        name,
        modelVersion,
        version,
      );
}

/** Whether an endpoint follows a stage, and so begins to serve the version that came there. */
function takesOver({ follows, modelVersion }: EndpointSummary, stage: Stage, version: number): boolean {
  return follows.type === 'stage' && follows.stage === stage && modelVersion !== version;
}
