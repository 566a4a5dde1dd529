/** Rows as tab-separated values, which spreadsheets paste as cells. Tabs and line breaks within a cell become spaces. */
export function tabSeparated(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => row.map((cell) => cell.replace(/[\t\r\n]+/g, ' ')).join('\t')).join('\n');
}
