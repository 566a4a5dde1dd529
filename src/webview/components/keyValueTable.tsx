import * as l10n from '@vscode/l10n';
import { useMemo, useState } from 'preact/hooks';
import type { KeyValue } from '../../protocol/tracking.ts';
import { CopyButton } from './copyButton.tsx';
import { fieldValue } from './fieldValue.ts';
import { Section } from './section.tsx';
import { tabSeparated } from './tabSeparated.ts';

const filterFrom = 9;

/** Names and values, with a filter once there are many; the rows that are seen can be copied. */
export function KeyValueSection(properties: {
  readonly title: string;
  readonly rows: readonly KeyValue[];
  /** What stands there when there are no rows at all. */
  readonly empty: string;
  /** Makes the title a switch that closes the section. */
  readonly onToggle?: (open: boolean) => void;
}) {
  const { title, rows, empty, onToggle } = properties;
  const [filter, setFilter] = useState('');
  const seen = useMemo(() => matching(rows, filter), [rows, filter]);
  return (
    <Section
      title={title}
      count={rows.length}
      {...(onToggle && { onToggle })}
      actions={
        rows.length > 0 ? (
          <CopyButton
            label={l10n.t('Copy {title}', { title })}
            text={() => tabSeparated(seen.map(({ key, value }) => [key, value]))}
          />
        ) : null
      }
    >
      {rows.length >= filterFrom ? (
        <vscode-textfield
          class="filter"
          label={l10n.t('Filter {title}', { title })}
          placeholder={l10n.t('Filter')}
          value={filter}
          onInput={(event) => setFilter(fieldValue(event.currentTarget))}
        />
      ) : null}
      {rows.length === 0 ? <p class="nothing">{empty}</p> : null}
      {rows.length > 0 && seen.length === 0 ? (
        <p class="nothing">{l10n.t('Nothing matches the filter.')}</p>
      ) : null}
      {seen.length > 0 ? (
        <table class="pairs">
          <tbody>
            {seen.map(({ key, value }) => (
              <tr key={key}>
                <th scope="row">{key}</th>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </Section>
  );
}

/** Rows whose name or value contains the text, letter case aside. */
function matching(rows: readonly KeyValue[], filter: string): readonly KeyValue[] {
  const wanted = filter.trim().toLowerCase();
  if (!wanted) return rows;
  return rows.filter(({ key, value }) => `${key}\n${value}`.toLowerCase().includes(wanted));
}
