import * as l10n from '@vscode/l10n';
import type { ComponentChildren } from 'preact';
import { CopyButton } from './copyButton.tsx';

/** One row of a list of facts (`<dl class="facts-list">`): its name, and what it is. */
export function Fact(properties: {
  readonly name: string;
  readonly children: ComponentChildren;
  /** The whole text behind it, when it is worth copying; it is the tooltip too. */
  readonly copy?: string;
  /** Shows all of a long text, over several lines. */
  readonly whole?: boolean;
}) {
  const { name, children, copy, whole = false } = properties;
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <span class={whole ? 'fact-value fact-whole' : 'fact-value'} title={copy}>
          {children}
        </span>
        {copy === undefined ? null : (
          <CopyButton label={l10n.t('Copy {title}', { title: name })} text={() => copy} />
        )}
      </dd>
    </>
  );
}
