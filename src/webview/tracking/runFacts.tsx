import * as l10n from '@vscode/l10n';
import type { ComponentChildren } from 'preact';
import type { DatasetInput, RunDetail } from '../../protocol/tracking.ts';
import { CopyButton } from '../components/copyButton.tsx';
import { Icon } from '../components/icon.tsx';
import { Section } from '../components/section.tsx';

/** The data that a run was trained and judged on. */
export function DatasetsSection({ datasets }: { readonly datasets: readonly DatasetInput[] }) {
  return (
    <Section title={l10n.t('Datasets')} count={datasets.length}>
      {datasets.length === 0 ? (
        <p class="nothing">{l10n.t('This run logged no datasets. mlflow.log_input records them.')}</p>
      ) : (
        <ul class="rows">
          {datasets.map((dataset) => (
            <li key={`${dataset.name} ${dataset.digest} ${dataset.context}`}>
              <Icon name="database" />
              <span class="row-name">{dataset.name}</span>
              {dataset.context ? <span class="badge">{dataset.context}</span> : null}
              <span class="row-note" title={readableSource(dataset.source)}>
                {readableSource(dataset.source) || dataset.digest}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** Where a run came from and where its files lie. */
export function SourceSection({ detail }: { readonly detail: RunDetail }) {
  return (
    <Section title={l10n.t('Source')}>
      <dl class="facts-list">
        {detail.sourceName ? <Fact name={l10n.t('Script')}>{detail.sourceName}</Fact> : null}
        {detail.sourceCommit ? (
          <Fact name={l10n.t('Commit')} copy={detail.sourceCommit}>
            <code>{detail.sourceCommit.slice(0, 10)}</code>
          </Fact>
        ) : null}
        <Fact name={l10n.t('Run ID')} copy={detail.run.runId}>
          <code>{detail.run.runId}</code>
        </Fact>
        <Fact name={l10n.t('Artifact location')} copy={detail.artifactUri}>
          <code>{detail.artifactUri}</code>
        </Fact>
      </dl>
    </Section>
  );
}

function Fact(properties: {
  readonly name: string;
  readonly children: ComponentChildren;
  /** The whole text behind it, when it is worth copying. */
  readonly copy?: string;
}) {
  const { name, children, copy } = properties;
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <span class="fact-value" title={copy}>
          {children}
        </span>
        {copy === undefined ? null : (
          <CopyButton label={l10n.t('Copy {title}', { title: name })} text={() => copy} />
        )}
      </dd>
    </>
  );
}

/** MLflow keeps a source as JSON such as `{"uri": "data.csv"}`; its address alone is what one wants to read. */
function readableSource(source: string): string {
  if (!source.startsWith('{')) return source;
  try {
    const parsed: unknown = JSON.parse(source);
    if (typeof parsed === 'object' && parsed !== null) {
      for (const value of [
        Reflect.get(parsed, 'uri'),
        Reflect.get(parsed, 'url'),
        Reflect.get(parsed, 'path'),
      ]) {
        if (typeof value === 'string') return value;
      }
    }
    return source;
  } catch {
    return source;
  }
}
