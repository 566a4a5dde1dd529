import { l10n } from 'vscode';
import type { EndpointDescription, TensorDescription } from '../../protocol/serving.ts';
import type { Formats } from '../views/formats.ts';
import { code, escaped } from '../views/markdown.ts';
import { curlCommand } from './curl.ts';

/** What there is to know about a running endpoint, as Markdown. Holds no token. */
export function endpointDocument(description: EndpointDescription, formats: Formats): string {
  const { endpoint } = description;
  const facts: readonly (readonly [string, string])[] = [
    [l10n.t('Model'), `${endpoint.modelName} v${endpoint.modelVersion}`],
    [l10n.t('Predictions'), description.inferUrl],
    ...(endpoint.readySince === null
      ? []
      : [[l10n.t('Ready since'), formats.moment(endpoint.readySince)] as const]),
    [l10n.t('Requests'), formats.count(endpoint.requestCount)],
    [l10n.t('Errors'), formats.count(endpoint.errorCount)],
  ];
  return [
    `# ${escaped(endpoint.name)}`,
    ...facts.map(([label, value]) => `- ${label}: ${code(value)}`),
    `## ${l10n.t('Inputs')}`,
    tensorTable(description.inputs),
    `## ${l10n.t('Outputs')}`,
    tensorTable(description.outputs),
    `## ${l10n.t('Try it')}`,
    l10n.t('In a terminal of this window:'),
    `\`\`\`sh\n${curlCommand(description, 'variable')}\n\`\`\``,
    '',
  ]
    .join('\n\n')
    .replaceAll(/\n\n(- )/g, '\n$1');
}

function tensorTable(tensors: readonly TensorDescription[]): string {
  const header = `| ${l10n.t('Name')} | ${l10n.t('Type')} | ${l10n.t('Shape')} |\n| --- | --- | --- |`;
  const rows = tensors.map(
    ({ name, datatype, shape }) => `| ${code(name)} | ${code(datatype)} | ${code(`[${shape.join(', ')}]`)} |`,
  );
  return [header, ...rows].join('\n');
}
