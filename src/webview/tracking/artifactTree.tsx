import * as l10n from '@vscode/l10n';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ArtifactEntry } from '../../protocol/tracking.ts';
import { Icon } from '../components/icon.tsx';
import { useLoaded } from '../components/loading.ts';
import { formatBytes } from '../components/numbers.ts';
import { useHost, useViewState } from '../components/page.tsx';
import { Section } from '../components/section.tsx';
import { ErrorState, Skeleton } from '../components/states.tsx';
import { keepInReach, moveFocus } from './treeKeyboard.ts';

/** The files that a run logged, one folder at a time; a file opens in the editor. */
export function ArtifactTree(properties: {
  readonly runId: string;
  /** Anything that changes when files may have changed. */
  readonly changeMark: string;
}) {
  const { runId, changeMark } = properties;
  const [open, setOpen] = useViewState<readonly string[]>('openFolders', [], isListOfPaths);
  const tree = useRef<HTMLDivElement>(null);
  const toggle = (path: string) =>
    setOpen(open.includes(path) ? open.filter((other) => other !== path) : [...open, path]);
  return (
    <Section title={l10n.t('Artifacts')}>
      <div
        ref={tree}
        role="tree"
        aria-label={l10n.t('Artifacts')}
        class="tree"
        onKeyDown={(event) => moveFocus(event, tree.current)}
        onFocusIn={(event) => keepInReach(event, tree.current)}
      >
        <Folder runId={runId} path="" level={1} open={open} onToggle={toggle} changeMark={changeMark} />
      </div>
    </Section>
  );
}

interface FolderProperties {
  readonly runId: string;
  readonly path: string;
  readonly level: number;
  readonly open: readonly string[];
  readonly onToggle: (path: string) => void;
  readonly changeMark: string;
}

function Folder(properties: FolderProperties) {
  const { runId, path, level, changeMark } = properties;
  const host = useHost();
  const load = useCallback(
    (signal: AbortSignal) => host.request('tracking/artifacts', { runId, path }, signal),
    [host, runId, path],
  );
  const { value: entries, error, reload } = useLoaded(load);
  const [seenChange, setSeenChange] = useState(changeMark);
  useEffect(() => {
    if (changeMark === seenChange) return;
    setSeenChange(changeMark);
    reload();
  }, [changeMark, seenChange, reload]);

  if (error) {
    return (
      <div role="none">
        <ErrorState error={error} onRetry={reload} />
      </div>
    );
  }
  if (!entries) {
    return (
      <div role="none">
        <Skeleton rows={2} />
      </div>
    );
  }
  if (entries.length === 0) {
    return (
      <p class="nothing">{level === 1 ? l10n.t('This run logged no files.') : l10n.t('Empty folder')}</p>
    );
  }
  return entries.map((entry, index) => (
    <Entry key={entry.path} {...properties} entry={entry} first={level === 1 && index === 0} />
  ));
}

function Entry(properties: FolderProperties & { readonly entry: ArtifactEntry; readonly first: boolean }) {
  const { entry, first, runId, level, open, onToggle } = properties;
  const host = useHost();
  const row = useRef<HTMLDivElement>(null);
  const expanded = entry.isDirectory && open.includes(entry.path);
  const choose = () => {
    if (entry.isDirectory) onToggle(entry.path);
    else host.act({ action: 'openArtifact', runId, path: entry.path });
  };
  useEffect(() => row.current?.style.setProperty('--level', String(level)), [level]);
  const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
  return (
    <div role="none">
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the tree handles the keys of all its items */}
      <div
        ref={row}
        role="treeitem"
        class="tree-item"
        tabIndex={first ? 0 : -1}
        aria-level={level}
        aria-expanded={entry.isDirectory ? expanded : undefined}
        title={entry.path}
        onClick={choose}
      >
        <Icon name={entry.isDirectory ? (expanded ? 'chevron-down' : 'chevron-right') : 'blank'} />
        <Icon name={entry.isDirectory ? (expanded ? 'folder-opened' : 'folder') : iconOf(name)} />
        <span class="row-name">{name}</span>
        {entry.isDirectory ? null : <span class="row-note">{formatBytes(entry.size)}</span>}
      </div>
      {expanded ? (
        <div role="none">
          <Folder {...properties} path={entry.path} level={level + 1} />
        </div>
      ) : null}
    </div>
  );
}

function iconOf(name: string): string {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  if (['png', 'jpg', 'jpeg', 'gif', 'svg', 'webp'].includes(extension)) return 'file-media';
  if (['json', 'yaml', 'yml', 'py', 'txt', 'md', 'toml'].includes(extension)) return 'file-code';
  if (['zip', 'gz', 'tar', 'whl'].includes(extension)) return 'file-zip';
  if (['onnx', 'pkl', 'bin', 'pt', 'safetensors'].includes(extension) || name === 'MLmodel')
    return 'file-binary';
  return 'file';
}

function isListOfPaths(kept: unknown): kept is readonly string[] {
  return Array.isArray(kept) && kept.every((path) => typeof path === 'string');
}
