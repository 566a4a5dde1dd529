import * as l10n from '@vscode/l10n';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { LocalizedError } from '../../protocol/page.ts';
import { Icon } from './icon.tsx';

/** Says what will stand here, and offers the next step. */
export function EmptyState(properties: {
  readonly icon: string;
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="state">
      <Icon name={properties.icon} />
      <p class="state-title">{properties.title}</p>
      {properties.children}
    </div>
  );
}

/** Says in place what went wrong and what to do, with a button that does it. */
export function ErrorState(properties: {
  readonly error: LocalizedError;
  readonly onRetry?: () => void;
  /** Buttons that fit the error better than trying again. */
  readonly children?: ComponentChildren;
}) {
  const { error, onRetry } = properties;
  return (
    <div class="state state-error" role="alert">
      <Icon name="error" tone="error" />
      <p class="state-title">{error.message}</p>
      {error.remedy ? <p class="state-remedy">{error.remedy}</p> : null}
      <div class="actions">
        {properties.children}
        {onRetry ? (
          <vscode-button secondary onClick={onRetry}>
            {l10n.t('Try Again')}
          </vscode-button>
        ) : null}
      </div>
    </div>
  );
}

/** Grey bars in place of content that takes longer than 200 ms. */
export function Skeleton({ rows, tall }: { readonly rows: number; readonly tall?: boolean }) {
  const late = useLate(200);
  if (!late) return <div class={tall ? 'skeleton skeleton-tall' : 'skeleton'} />;
  return (
    <div class={tall ? 'skeleton skeleton-tall' : 'skeleton'} role="status" aria-label={l10n.t('Loading')}>
      {Array.from({ length: rows }, (_, row) => (
        <div class="skeleton-bar" key={row} />
      ))}
    </div>
  );
}

/** False at first, true once the component has been there for so many milliseconds. */
function useLate(milliseconds: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), milliseconds);
    return () => clearTimeout(timer);
  }, [milliseconds]);
  return late;
}
