import * as l10n from '@vscode/l10n';
import { factText } from '../../protocol/factText.ts';
import type { EndpointPageCommand } from '../../protocol/page.ts';
import type { ServedVersion } from '../../protocol/scorer.ts';
import type { EndpointDescription } from '../../protocol/serving.ts';
import type { TensorDescription } from '../../protocol/tensor.ts';
import { localizedDetail } from '../components/errorText.ts';
import { Fact } from '../components/fact.tsx';
import { Icon } from '../components/icon.tsx';
import { useHost } from '../components/page.tsx';
import { Section } from '../components/section.tsx';
import { CopyTable, FigureTable } from './figureTable.tsx';

/** Where and how to call the endpoint, and what it takes and gives. */
export function CallSection({ description }: { readonly description: EndpointDescription }) {
  const host = useHost();
  const run = (command: EndpointPageCommand) => () => host.act({ action: 'endpointCommand', command });
  const { endpoint, inferUrl, inputs, outputs, versions } = description;
  const model = encodeURIComponent(endpoint.modelName);
  return (
    <>
      <Section
        title={l10n.t('Call It')}
        actions={
          <div class="actions">
            <vscode-button secondary onClick={run('openTryPage')}>
              {l10n.t('Try in Browser')}
            </vscode-button>
            <vscode-button secondary onClick={run('copyAsCurl')}>
              {l10n.t('Copy as curl')}
            </vscode-button>
            <vscode-button secondary onClick={run('copyAsPython')}>
              {l10n.t('Copy as Python')}
            </vscode-button>
            <vscode-button secondary onClick={run('copyAsTypeScript')}>
              {l10n.t('Copy as TypeScript')}
            </vscode-button>
          </div>
        }
      >
        <dl class="facts-list">
          <Address name="Open Inference V2" url={inferUrl} />
          {endpoint.grpcAddress === null ? null : (
            <Address name="Open Inference V2, gRPC" url={endpoint.grpcAddress} />
          )}
          {endpoint.url === null ? null : (
            <>
              <Address
                name="KServe V1, TensorFlow Serving"
                url={`${endpoint.url}/v1/models/${model}:predict`}
              />
              <Address name="MLflow, SageMaker" url={`${endpoint.url}/invocations`} />
              <Address name="OpenAPI" url={`${endpoint.url}/openapi.json`} />
              <Address name="Prometheus" url={`${endpoint.url}/metrics`} />
            </>
          )}
        </dl>
      </Section>
      <div class="columns">
        <Tensors title={l10n.t('Inputs')} tensors={inputs} />
        <Tensors title={l10n.t('Outputs')} tensors={outputs} />
      </div>
      {versions.map((version) => (
        <VersionFacts key={`${version.name}/${version.version}`} version={version} />
      ))}
    </>
  );
}

function Address({ name, url }: { readonly name: string; readonly url: string }) {
  return (
    <Fact name={name} copy={url}>
      <code>{url}</code>
    </Fact>
  );
}

function Tensors({
  title,
  tensors,
}: {
  readonly title: string;
  readonly tensors: readonly TensorDescription[];
}) {
  const table = {
    columns: [{ name: l10n.t('Name') }, { name: l10n.t('Type') }, { name: l10n.t('Shape') }],
    rows: tensors.map(({ name, datatype, shape }) => ({
      key: name,
      cells: [name, datatype, `[${shape.map((size) => (size === -1 ? '?' : size)).join(', ')}]`],
    })),
  };
  return (
    <Section title={title} count={tensors.length} actions={<CopyTable title={title} table={table} />}>
      <FigureTable {...table} />
    </Section>
  );
}

/** What a model's file says of itself, and what to beware of. */
function VersionFacts({ version }: { readonly version: ServedVersion }) {
  if (version.facts.length + version.warnings.length === 0) return null;
  return (
    <Section title={`${version.name} v${version.version}`}>
      {version.warnings.map(localizedDetail).map((warning) => (
        <p key={warning} class="card-note">
          <Icon name="warning" tone="warning" />
          {warning}
        </p>
      ))}
      <dl class="facts-list">
        {version.facts.map(({ name, value }) => (
          <Fact key={name} name={factText(name, l10n)}>
            {value}
          </Fact>
        ))}
      </dl>
    </Section>
  );
}
