import { MarkdownString } from 'vscode';

/** A row of a tooltip: a label and its value, both shown as plain text. */
export type TooltipRow = readonly [label: string, value: string];

/**
 * A Markdown tooltip of a title and rows. Titles and values come from data, so they are escaped: no HTML, and no link
 * that runs a command.
 */
export function tooltipOf(title: string, rows: readonly TooltipRow[]): MarkdownString {
  const tooltip = new MarkdownString('', false);
  tooltip.isTrusted = false;
  tooltip.supportHtml = false;
  tooltip.appendMarkdown('**').appendText(title).appendMarkdown('**\n\n');
  for (const [label, value] of rows) {
    tooltip.appendMarkdown('- ').appendText(`${label}: ${value}`).appendMarkdown('\n');
  }
  return tooltip;
}
