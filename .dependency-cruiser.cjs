/**
 * The walls of the design: which folder may import which. `npm run lint` fails on a breach, and
 * test/unit/walls.test.ts shows that it does.
 */
const engineDomains = [
  'tracking',
  'registry',
  'serving',
  'monitoring',
  'provenance',
  'pipelines',
  'governance',
  'interop',
  'maintenance',
  'conversion',
];

const ours = '^src/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'only-the-extension-imports-vscode',
      severity: 'error',
      from: { path: ours, pathNot: '^src/extension/' },
      to: { path: '^vscode$' },
    },
    {
      name: 'protocol-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { path: ours, pathNot: '^src/protocol/' },
    },
    {
      name: 'statistics-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/statistics/' },
      to: { path: ours, pathNot: '^src/statistics/' },
    },
    {
      name: 'git-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/git/' },
      to: { path: ours, pathNot: '^src/git/' },
    },
    {
      name: 'inference-imports-protocol-only',
      severity: 'error',
      from: { path: '^src/inference/' },
      to: { path: ours, pathNot: '^src/(inference|protocol)/' },
    },
    {
      name: 'supervision-imports-protocol-only',
      severity: 'error',
      from: { path: '^src/supervision/' },
      to: { path: ours, pathNot: '^src/(supervision|protocol)/' },
    },
    {
      name: 'tuning-imports-supervision-and-protocol-only',
      severity: 'error',
      from: { path: '^src/tuning/' },
      to: { path: ours, pathNot: '^src/(tuning|supervision|protocol)/' },
    },
    {
      name: 'scorer-imports-shared-rooms-only',
      severity: 'error',
      from: { path: '^src/scorer/' },
      to: { path: ours, pathNot: '^src/(scorer|inference|supervision|protocol|statistics)/' },
    },
    {
      name: 'worker-imports-shared-rooms-only',
      severity: 'error',
      from: { path: '^src/worker/' },
      to: { path: ours, pathNot: '^src/(worker|tuning|inference|protocol|statistics|git)/' },
    },
    {
      name: 'engine-imports-shared-rooms-only',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { path: ours, pathNot: '^src/(engine|tuning|supervision|protocol|statistics|git)/' },
    },
    {
      name: 'extension-imports-protocol-only',
      severity: 'error',
      from: { path: '^src/extension/' },
      to: { path: ours, pathNot: '^src/(extension|protocol)/' },
    },
    {
      name: 'webview-imports-protocol-and-statistics-only',
      severity: 'error',
      from: { path: '^src/webview/' },
      to: { path: ours, pathNot: '^src/(webview|protocol|statistics)/' },
    },
    {
      name: 'cli-opens-the-engine-by-its-front-door',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: ours, pathNot: '^src/(cli/|tuning/|supervision/|protocol/|engine/engine\\.ts)' },
    },
    {
      name: 'native-modules-stay-in-their-process',
      severity: 'error',
      from: { path: '^src/(extension|webview|protocol|statistics|cli)/' },
      to: { path: '(better-sqlite3|onnxruntime-node|@duckdb)' },
    },
    {
      name: 'database-is-the-bottom',
      severity: 'error',
      from: { path: '^src/engine/database/' },
      to: { path: '^src/engine/', pathNot: '^src/engine/database/' },
    },
    {
      name: 'stores-import-only-the-database-and-nouns',
      severity: 'error',
      from: { path: '^src/engine/[^/]+/[^/]*[sS]tore\\.ts$' },
      to: {
        path: '^src/engine/',
        pathNot: '^src/engine/(database/|[^/]+/([^/]*[tT]ypes|[^/]*[sS]tore)\\.ts$)',
      },
    },
    ...engineDomains.map((domain) => ({
      name: `${domain}-store-belongs-to-its-service`,
      severity: 'error',
      from: { path: '^src/engine/', pathNot: `^src/engine/(${domain}/|engine\\.ts$)` },
      to: { path: `^src/engine/${domain}/[^/]*[sS]tore\\.ts$` },
    })),
    {
      name: 'domains-never-import-http',
      severity: 'error',
      from: { path: `^src/engine/(${engineDomains.join('|')})/` },
      to: { path: '^src/engine/http/' },
    },
    {
      name: 'http-holds-no-rule-and-no-sql',
      severity: 'error',
      from: { path: '^src/engine/http/' },
      to: { path: '^src/engine/(database/|[^/]+/[^/]*[sS]tore\\.ts$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
