import { l10n, ThemeIcon } from 'vscode';
import { systemMetricPrefix } from '../../protocol/systemMetrics.ts';
import type { ArtifactEntry, RunDetail } from '../../protocol/tracking.ts';
import type { CommandId } from '../contributions.ts';
import type { EngineClient } from '../engine/client.ts';
import type { Formats } from '../views/formats.ts';
import { createNode, type TreeNode } from '../views/treeNode.ts';

/** Rows below a run for what it recorded: metrics, parameters, artifacts. Only those that hold something. */
export async function runParts(
  client: EngineClient,
  runId: string,
  formats: Formats,
): Promise<readonly TreeNode[]> {
  const [detail, artifacts] = await Promise.all([
    client.request('tracking/run', { runId }),
    client.request('tracking/artifacts', { runId, path: '' }),
  ]);
  return [
    ...metricsPart(client, detail, formats),
    ...parametersPart(client, detail),
    ...(artifacts.length === 0 ? [] : [artifactsPart(client, runId, artifacts)]),
  ];
}

function metricsPart(client: EngineClient, { run, metrics }: RunDetail, formats: Formats): TreeNode[] {
  const group = (name: string, label: string, icon: string, members: RunDetail['metrics']) =>
    members.length === 0
      ? []
      : [
          part(client, run.runId, name, label, icon, () =>
            members.map(({ key, value }) => fact(client, run.runId, name, key, formats.metric(value))),
          ),
        ];
  return [
    ...group('metrics', l10n.t('Metrics'), 'graph-line', metrics.filter(isOfModel)),
    ...group(
      'systemMetrics',
      l10n.t('System metrics'),
      'pulse',
      metrics.filter((metric) => !isOfModel(metric)),
    ),
  ];
}

/** Those of the machine, such as its memory, are what MLflow logs under `system/`. */
function isOfModel({ key }: { readonly key: string }): boolean {
  return !key.startsWith(systemMetricPrefix);
}

function parametersPart(client: EngineClient, { run, parameters }: RunDetail): TreeNode[] {
  if (parameters.length === 0) return [];
  return [
    part(client, run.runId, 'parameters', l10n.t('Parameters'), 'settings', () =>
      parameters.map(({ key, value }) => fact(client, run.runId, 'parameters', key, value)),
    ),
  ];
}

function artifactsPart(client: EngineClient, runId: string, entries: readonly ArtifactEntry[]): TreeNode {
  return part(client, runId, 'artifacts', l10n.t('Artifacts'), 'files', () =>
    entries.map((entry) => artifactNode(client, runId, entry)),
  );
}

function part(
  client: EngineClient,
  runId: string,
  name: string,
  label: string,
  icon: string,
  children: () => readonly TreeNode[],
): TreeNode {
  const look = { label, kind: 'runPart', iconPath: new ThemeIcon(icon) } as const;
  return createNode(client, `run/${runId}/${name}`, look, {}, async () => children());
}

function fact(client: EngineClient, runId: string, part: string, key: string, value: string): TreeNode {
  const look = { label: key, kind: 'runPart', description: value, tooltip: `${key}: ${value}` } as const;
  return createNode(client, `run/${runId}/${part}/${key}`, look, {});
}

function artifactNode(client: EngineClient, runId: string, entry: ArtifactEntry): TreeNode {
  const label = entry.path.split('/').at(-1) ?? entry.path;
  const id = `run/${runId}/artifacts/${entry.path}`;
  const target = { runId, path: entry.path };
  if (entry.isDirectory) {
    const look = { label, kind: 'artifactFolder', iconPath: ThemeIcon.Folder } as const;
    return createNode(client, id, look, target, async () => {
      const entries = await client.request('tracking/artifacts', { runId, path: entry.path });
      return entries.map((child) => artifactNode(client, runId, child));
    });
  }
  return createNode(
    client,
    id,
    {
      label,
      kind: 'artifactFile',
      iconPath: ThemeIcon.File,
      command: {
        title: l10n.t('Open'),
        command: 'slipway.openArtifact' satisfies CommandId,
        arguments: [{ folder: client.id, ...target }],
      },
    },
    target,
  );
}
