/** Text as inline code, whatever it holds: in a table, too. */
export function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const space = longest > 0 ? ' ' : '';
  return `${fence}${space}${text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')}${space}${fence}`;
}

/** Text that Markdown shows as it stands. */
export function escaped(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+\-.!<>|]/g, '\\$&');
}

/** A table of cells that are Markdown already. The first `left` columns stand to the left, the others to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(header),
    line(header.map((_, column) => (column < left ? '---' : '---:'))),
    ...rows.map(line),
  ].join('\n');
}
