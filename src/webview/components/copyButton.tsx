import * as l10n from '@vscode/l10n';
import { useEffect, useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

/** How the last copying went; it goes back to `idle` after a moment. */
type Outcome = 'idle' | 'copied' | 'failed';

/** Copies a text; `text` is called when it is pressed. With `labelled` the name stands beside the icon. */
export function CopyButton(properties: {
  readonly label: string;
  readonly text: () => string;
  readonly labelled?: boolean;
}) {
  const [outcome, setOutcome] = useState<Outcome>('idle');
  useEffect(() => {
    if (outcome === 'idle') return;
    const timer = setTimeout(() => setOutcome('idle'), 1500);
    return () => clearTimeout(timer);
  }, [outcome]);

  const copy = () =>
    navigator.clipboard.writeText(properties.text()).then(
      () => setOutcome('copied'),
      () => setOutcome('failed'),
    );
  const icon = outcome === 'copied' ? 'check' : outcome === 'failed' ? 'error' : 'copy';
  const announcement =
    outcome === 'copied' ? l10n.t('Copied') : outcome === 'failed' ? l10n.t('Copying failed') : '';

  return (
    <>
      {properties.labelled ? (
        <vscode-button secondary onClick={() => void copy()}>
          <span slot="content-before" class="button-icon">
            <Icon name={icon} />
          </span>
          {properties.label}
        </vscode-button>
      ) : (
        <button
          type="button"
          class="icon-button"
          title={announcement || properties.label}
          aria-label={properties.label}
          onClick={() => void copy()}
        >
          <Icon name={icon} />
        </button>
      )}
      <span class="visually-hidden" role="status">
        {announcement}
      </span>
    </>
  );
}
