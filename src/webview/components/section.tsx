import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Icon } from './icon.tsx';

/** A titled part of a page. With `onToggle` its title opens and closes it. */
export function Section(properties: {
  readonly title: string;
  readonly count?: number;
  /** Small buttons at the end of the title line. */
  readonly actions?: ComponentChildren;
  readonly open?: boolean;
  readonly onToggle?: (open: boolean) => void;
  readonly children: ComponentChildren;
}) {
  const { title, count, actions, open = true, onToggle } = properties;
  const id = useId();
  const heading = (
    <>
      {title} {count === undefined ? null : <span class="section-count">{count}</span>}
    </>
  );
  return (
    <section class="section" aria-labelledby={id}>
      <header class="section-header">
        <h2 id={id}>
          {onToggle ? (
            <button type="button" class="section-toggle" aria-expanded={open} onClick={() => onToggle(!open)}>
              <Icon name={open ? 'chevron-down' : 'chevron-right'} />
              {heading}
            </button>
          ) : (
            heading
          )}
        </h2>
        {open && actions ? <div class="section-actions">{actions}</div> : null}
      </header>
      {open ? properties.children : null}
    </section>
  );
}
