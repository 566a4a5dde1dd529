import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { packageExtension, platformTarget } from './packageExtension.ts';
import { zipEntries } from './zipEntries.ts';

const platforms = ['linux', 'linuxmusl', 'darwin', 'win32'];
const architectures = ['x64', 'arm64'];
const others = platforms
  .flatMap((platform) => architectures.map((architecture) => ({ platform, architecture })))
  .filter(({ platform, architecture }) => `${platform}-${architecture}` !== platformTarget);

/** Everything that belongs into the package; what is not named here must not be in it. */
const belongs = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/(package\.json|package\.nls(\.[\w-]+)?\.json|LICENSE\.txt|readme\.md|changelog\.md)$/i,
  /^extension\/l10n\/bundle\.l10n(\.[\w-]+)?\.json$/,
  /^extension\/media\/.+\.(svg|png)$/,
  /^extension\/media\/slipway\.schema\.json$/,
  /^extension\/dist\/packageParts\.json$/,
  /^extension\/media\/sample\/[\w.-]+\.(py|txt|md|yaml)$/,
  /^extension\/media\/sample\/data\/[\w.-]+\.(csv|parquet|md)$/,
  /^extension\/media\/sample\/recorded\/\.slipway\/(store\.db|artifacts\/.+|inference\/[\w.-]+\.db)$/,
  /^extension\/dist\/(extension|engine|scorer|inferenceLogThread|watchdogThread|standalone|grpcLibrary|worker|cli|commandLine)\.cjs(\.LEGAL\.txt)?$/,
  /^extension\/dist\/bin\/slipway(\.cmd)?$/,
  /^extension\/dist\/python\/(slipway_provenance\/)?\w+\.py$/,
  /^extension\/dist\/pythonWorkers\/(slipway_models\/)?\w+\.py$/,
  /^extension\/dist\/webview\/[\w-]+\.(js|css|ttf)$/,
  /^extension\/dist\/node_modules\/(better-sqlite3|onnxruntime-(node|common)|detect-libc|@duckdb\/[\w-]+)\/.+$/,
];

const needed = [
  'extension/package.json',
  'extension/package.nls.pt-br.json',
  'extension/l10n/bundle.l10n.pt-br.json',
  'extension/dist/extension.cjs',
  'extension/dist/engine.cjs',
  'extension/dist/scorer.cjs',
  'extension/dist/inferenceLogThread.cjs',
  'extension/dist/worker.cjs',
  'extension/dist/cli.cjs',
  'extension/dist/commandLine.cjs',
  'extension/dist/bin/slipway',
  'extension/dist/bin/slipway.cmd',
  'extension/dist/python/sitecustomize.py',
  'extension/dist/python/slipway_provenance/header.py',
  'extension/dist/pythonWorkers/serve.py',
  'extension/dist/pythonWorkers/slipway_models/serving.py',
  'extension/dist/webview/run.js',
  'extension/dist/webview/drift.js',
  'extension/dist/webview/codicon.ttf',
  'extension/media/sample/recorded/.slipway/store.db',
  `extension/dist/node_modules/better-sqlite3/prebuilds/${platformTarget}.node`,
  `extension/dist/node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`,
  `extension/dist/node_modules/@duckdb/node-bindings-${platformTarget}/duckdb.node`,
];

describe('the packaged extension', function () {
  this.timeout(180_000);
  let entries: readonly string[] = [];
  let size = 0;

  before(async () => {
    const file = await packageExtension();
    entries = zipEntries(await readFile(file)).filter((name) => !name.endsWith('/'));
    size = (await stat(file)).size;
  });

  it('holds everything that it needs', () => {
    assert.deepEqual(
      needed.filter((name) => !entries.includes(name)),
      [],
    );
  });

  it('holds nothing else', () => {
    assert.deepEqual(
      entries.filter((name) => !belongs.some((pattern) => pattern.test(name))),
      [],
    );
  });

  it('holds no source, no test, no source map and no type declaration', () => {
    assert.deepEqual(
      entries.filter((name) => /\.(ts|tsx|map)$|\/(src|test)\//.test(name)),
      [],
    );
  });

  it('holds the native code of this platform only', () => {
    const foreign = entries.filter((name) =>
      others.some(
        ({ platform, architecture }) =>
          name.includes(`${platform}-${architecture}`) || name.includes(`/${platform}/${architecture}/`),
      ),
    );
    assert.deepEqual(foreign, []);
  });

  it('is small enough to install over a mobile connection', () => {
    assert.ok(size < 60 * 1024 * 1024, `${(size / 1024 / 1024).toFixed(0)} MB`);
  });
});
