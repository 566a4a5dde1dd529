import * as l10n from '@vscode/l10n';
import type { DriftSources } from '../../protocol/monitoring.ts';
import { fieldValue } from '../components/fieldValue.ts';
import { fromLocal, type TimeWindow, toLocal, type WindowKind, windowKinds } from './timeWindow.ts';

const chooseFile = '<choose>';

/** Where the reference comes from and which requests are looked at. */
export function DriftControls(properties: {
  readonly sources: DriftSources;
  readonly referenceFile: string | null;
  readonly onReference: (file: string) => void;
  readonly onChooseFile: () => void;
  readonly window: TimeWindow;
  readonly onWindow: (window: TimeWindow) => void;
  readonly disabled: boolean;
}) {
  const { sources, referenceFile, onReference, onChooseFile, window, onWindow, disabled } = properties;
  const known = sources.references.some(({ file }) => file === referenceFile);
  const references =
    known || referenceFile === null
      ? sources.references
      : [...sources.references, { label: fileName(referenceFile), file: referenceFile }];
  const incomplete = window.kind === 'custom' && !(fromLocal(window.from) < fromLocal(window.to));

  const chooseReference = (chosen: string) => {
    if (chosen === chooseFile) onChooseFile();
    else onReference(chosen);
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

  return (
    <div class="controls">
      <div class="control">
        <span class="control-name">{l10n.t('Reference data')}</span>
        <vscode-single-select
          label={l10n.t('Reference data')}
          disabled={disabled}
          // A file that was not among the choices makes the list anew, so that it shows the right one.
          key={`${references.length} ${referenceFile}`}
          onChange={(event) => chooseReference(fieldValue(event.currentTarget))}
        >
          {references.length === 0 ? (
            <vscode-option value="" selected>
              {l10n.t('None found')}
            </vscode-option>
          ) : null}
          {references.map(({ label, file }, index) => (
            <vscode-option
              key={file}
              value={file}
              selected={referenceFile === null ? index === 0 : file === referenceFile}
            >
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
          disabled={disabled}
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
          <div class="control">
            <span class="control-name">{l10n.t('From')}</span>
            <vscode-textfield
              type="datetime-local"
              label={l10n.t('From')}
              value={window.from}
              invalid={incomplete}
              onChange={(event) => onWindow({ ...window, from: fieldValue(event.currentTarget) })}
            />
          </div>
          <div class="control">
            <span class="control-name">{l10n.t('To')}</span>
            <vscode-textfield
              type="datetime-local"
              label={l10n.t('To')}
              value={window.to}
              invalid={incomplete}
              onChange={(event) => onWindow({ ...window, to: fieldValue(event.currentTarget) })}
            />
          </div>
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
