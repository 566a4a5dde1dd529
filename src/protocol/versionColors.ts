/** The colours of versions in the side bar and on pages, by their numbers, as VS Code names them; then they begin anew. */
export const versionColors = [
  'charts.blue',
  'slipway.orange',
  'charts.purple',
  'charts.green',
  'charts.yellow',
] as const;
