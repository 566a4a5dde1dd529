import * as l10n from '@vscode/l10n';
import type { ComponentChildren } from 'preact';
import { CopyButton } from '../components/copyButton.tsx';
import { tabSeparated } from '../components/tabSeparated.ts';

export interface FigureColumn {
  readonly name: string;
  /** Stands to the right. */
  readonly figure?: boolean;
  /** May take several lines. */
  readonly sentence?: boolean;
}

export interface FigureRow {
  readonly key: string;
  readonly cells: readonly string[];
  /** Before the first cell; says nothing that no cell says. */
  readonly icon?: ComponentChildren;
  /** A sentence that stands below the cells. */
  readonly detail?: string;
}

export interface FigureTableContent {
  readonly columns: readonly FigureColumn[];
  readonly rows: readonly FigureRow[];
}

/** A table that scrolls sideways where it has no room. The first cell names its row. */
export function FigureTable({ columns, rows }: FigureTableContent) {
  return (
    <div class="table-scroll">
      <table class="figures">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" class={classOf(column)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.key} columns={columns} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ columns, row }: Pick<FigureTableContent, 'columns'> & { readonly row: FigureRow }) {
  const { cells, icon, detail } = row;
  return (
    <>
      <tr class={detail === undefined ? '' : 'has-detail'}>
        {columns.map((column, place) =>
          place === 0 ? (
            <th key={column.name} scope="row" class={classOf(column)}>
              <span class="verdict-cell">
                {icon}
                {cells[place]}
              </span>
            </th>
          ) : (
            <td key={column.name} class={classOf(column)}>
              {cells[place]}
            </td>
          ),
        )}
      </tr>
      {detail === undefined ? null : (
        <tr>
          <td class="sentence detail" colSpan={columns.length}>
            {detail}
          </td>
        </tr>
      )}
    </>
  );
}

/** Copies such a table. */
export function CopyTable({ title, table }: { readonly title: string; readonly table: FigureTableContent }) {
  return <CopyButton label={l10n.t('Copy {title}', { title })} text={() => tabSeparated(cellsOf(table))} />;
}

/** All cells, the names of the columns first. */
export function cellsOf({ columns, rows }: FigureTableContent): readonly (readonly string[])[] {
  return [
    columns.map(({ name }) => name),
    ...rows.map(({ cells, detail }) => (detail === undefined ? cells : [...cells, detail])),
  ];
}

function classOf({ figure, sentence }: FigureColumn): string {
  return figure ? 'figure' : sentence ? 'sentence' : '';
}
