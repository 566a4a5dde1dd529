import * as l10n from '@vscode/l10n';
import type { DriftSources } from '../../protocol/monitoring.ts';
import { fieldValue } from '../components/fieldValue.ts';
import { boundsOf, type TimeWindow, toLocal, type WindowKind, windowKinds } from './timeWindow.ts';

const chooseFile = '<choose>';

/** Where the reference comes from and which requests are looked at. */
export function DriftControls(properties: {
  readonly sources: DriftSources;
  readonly referenceFile: string | null;
  readonly onReference: (file: string) => void;
  readonly onChooseFile: () => void;
  readonly window: TimeWindow;
  readonly onWindow: (window: TimeWindow) => void;
}) {
  const { sources, referenceFile, onReference, onChooseFile, window, onWindow } = properties;
  const known = sources.references.some(({ file }) => file === referenceFile);
  const references =
    known || referenceFile === null
      ? sources.references
      : [...sources.references, { label: fileName(referenceFile), file: referenceFile }];
  const incomplete = boundsOf(window, sources, 0) === null;

  const inUse = referenceFile ?? references[0]?.file ?? '';
  const chooseReference = (list: EventTarget) => {
    const chosen = fieldValue(list);
    if (chosen !== chooseFile) return onReference(chosen);
    // The person may turn back without a file, so the list goes on to name the one in use.
    Reflect.set(list, 'value', inUse);
    onChooseFile();
  };
  const chooseKind = (chosen: string) => {
    const kind = windowKinds.find((one) => one === chosen);
    if (!kind || kind === window.kind) return;
    const filled = window.from !== '' && window.to !== '';
    if (kind === 'custom' && !filled) {
      const to = (sources.lastRequest ?? Date.now()) + 60_000;
      onWindow({ kind, from: toLocal(sources.firstRequest ?? to - 3_600_000), to: toLocal(to) });
    } else onWindow({ ...window, kind });
  };

  const customEnd = (end: 'from' | 'to', name: string) => (
    <div class="control">
      <span class="control-name">{name}</span>
      <vscode-textfield
        type="datetime-local"
        label={name}
        value={window[end]}
        invalid={incomplete}
        onChange={(event) => onWindow({ ...window, [end]: fieldValue(event.currentTarget) })}
      />
    </div>
  );

  return (
    <div class="controls">
      <div class="control">
        <span class="control-name">{l10n.t('Reference data')}</span>
        <vscode-single-select
          label={l10n.t('Reference data')}
          // A file that was not among the choices makes the list anew, so that it shows the right one.
          key={`${references.length} ${referenceFile}`}
          onChange={(event) => chooseReference(event.currentTarget)}
        >
          {references.length === 0 ? (
            <vscode-option value="" selected>
              {l10n.t('None found')}
            </vscode-option>
          ) : null}
          {references.map(({ label, file }) => (
            <vscode-option key={file} value={file} selected={file === inUse}>
              {label}
            </vscode-option>
          ))}
          <vscode-option value={chooseFile}>{l10n.t('Choose File…')}</vscode-option>
        </vscode-single-select>
      </div>
      <div class="control">
        <span class="control-name">{l10n.t('Requests')}</span>
        <vscode-single-select
          label={l10n.t('Requests')}
          onChange={(event) => chooseKind(fieldValue(event.currentTarget))}
        >
          {windowKinds.map((kind) => (
            <vscode-option key={kind} value={kind} selected={kind === window.kind}>
              {nameOf(kind)}
            </vscode-option>
          ))}
        </vscode-single-select>
      </div>
      {window.kind === 'custom' ? (
        <>
          {customEnd('from', l10n.t('From'))}
          {customEnd('to', l10n.t('To'))}
          {incomplete ? (
            <p class="control-error" role="alert">
              {l10n.t('The end must come after the beginning.')}
            </p>
          ) : null}
        </>
      ) : null}
    </div>
  );
}

function nameOf(kind: WindowKind): string {
  switch (kind) {
    case 'all':
      return l10n.t('All requests');
    case 'lastHour':
      return l10n.t('Last hour');
    case 'lastDay':
      return l10n.t('Last 24 hours');
    case 'custom':
      return l10n.t('Custom…');
  }
}

function fileName(file: string): string {
  return file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
}
