import * as l10n from '@vscode/l10n';
import type { DataFile } from '../../protocol/provenance.ts';
import type { DatasetInput } from '../../protocol/tracking.ts';
import { CopyButton } from '../components/copyButton.tsx';
import { Icon } from '../components/icon.tsx';
import { formatBytes, formatCount } from '../components/numbers.ts';

/** The data that a run was trained and judged on: datasets as it logged them, and the files and folders that it named. */
export function DataList(properties: {
  readonly datasets: readonly DatasetInput[];
  readonly files: readonly DataFile[];
}) {
  const { datasets, files } = properties;
  if (datasets.length === 0 && files.length === 0) {
    return <p class="nothing">{l10n.t('This run logged no datasets. mlflow.log_input records them.')}</p>;
  }
  return (
    <ul class="rows data-rows">
      {datasets.map((dataset) => (
        <DatasetRow key={`${dataset.name} ${dataset.digest} ${dataset.context}`} dataset={dataset} />
      ))}
      {files.map((file) => (
        <FileRow key={file.path} file={file} />
      ))}
    </ul>
  );
}

function DatasetRow({ dataset }: { readonly dataset: DatasetInput }) {
  const source = readableSource(dataset.source);
  return (
    <li>
      <Icon name="database" />
      <span class="row-name">{dataset.name}</span>
      {dataset.context ? <span class="badge">{dataset.context}</span> : null}
      <span class="row-note" title={source}>
        {source}
      </span>
      <Digest name={l10n.t('Digest')} digest={dataset.digest} subject={dataset.name} />
    </li>
  );
}

function FileRow({ file }: { readonly file: DataFile }) {
  const name = file.path.split(/[\\/]/).at(-1) ?? file.path;
  return (
    <li>
      <Icon name={file.fileCount === null ? 'file' : 'folder'} />
      <span class="row-name" title={file.path}>
        {name}
      </span>
      <span class="row-note">{extentOf(file)}</span>
      {file.digest === null ? (
        <span
          class="tone-muted"
          title={
            file.isTooLarge ? l10n.t('It is too large to be read through.') : l10n.t('It could not be read.')
          }
        >
          {l10n.t('no digest')}
        </span>
      ) : (
        <Digest name="SHA-256" digest={file.digest} subject={name} />
      )}
    </li>
  );
}

/** How large it is, as far as that is known. */
function extentOf({ size, fileCount, isTooLarge }: DataFile): string {
  if (fileCount === null) return formatBytes(size);
  if (isTooLarge) return l10n.t('too large');
  // Files were counted only as far as it could be read.
  if (fileCount === 0) return '';
  const files =
    fileCount === 1 ? l10n.t('1 file') : l10n.t('{count} files', { count: formatCount(fileCount) });
  return `${files}, ${formatBytes(size)}`;
}

function Digest(properties: { readonly name: string; readonly digest: string; readonly subject: string }) {
  const { name, digest, subject } = properties;
  return (
    <span class="digest">
      <code title={`${name}: ${digest}`}>{digest.slice(0, 10)}</code>
      <CopyButton label={l10n.t('Copy digest of {name}', { name: subject })} text={() => digest} />
    </span>
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
