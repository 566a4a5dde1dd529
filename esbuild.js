import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import esbuild from 'esbuild';

/**
 * Builds `dist/`: one bundle for each process and page, and beside them the native packages of this platform.
 *
 *   node esbuild.js                with source maps
 *   node esbuild.js --production   minified, without source maps
 *   node esbuild.js --watch        builds again whenever a source changes
 */
const root = import.meta.dirname;
const dist = join(root, 'dist');
const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');
const require = createRequire(import.meta.url);

/** Those of Node: processes, the threads of one, and a library that one rarely loads. */
const processes = {
  extension: 'src/extension/activate.ts',
  engine: 'src/engine/main.ts',
  scorer: 'src/scorer/main.ts',
  inferenceLogThread: 'src/scorer/inferenceLogThread.ts',
  watchdogThread: 'src/scorer/watchdogThread.ts',
  grpcLibrary: 'src/scorer/grpc/grpcLibrary.ts',
  standalone: 'src/scorer/standalone.ts',
  worker: 'src/worker/main.ts',
  cli: 'src/cli/main.ts',
  commandLine: 'src/cli/commandLine.ts',
};

const pages = {
  run: 'src/webview/tracking/runPage.tsx',
  drift: 'src/webview/monitoring/driftPage.tsx',
  endpoint: 'src/webview/serving/endpointPage.tsx',
};

/** Packages that hold native code: not bundled, but copied beside the bundles, only what this platform runs. */
const nativePackages = {
  'better-sqlite3': (file) =>
    ['package.json', 'LICENSE'].includes(file) ||
    (/^lib\/.+\.js$/.test(file) && !/^lib\/\w+-(x64|arm64)\.js$/.test(file)) ||
    file === `prebuilds/${process.platform}-${process.arch}.node`,
  'onnxruntime-node': (file) =>
    file === 'package.json' ||
    (file.startsWith('dist/') && file.endsWith('.js')) ||
    file.startsWith(`bin/napi-v6/${process.platform}/${process.arch}/`),
  'onnxruntime-common': (file) =>
    file === 'package.json' ||
    (file.startsWith('dist/cjs/') && (file.endsWith('.js') || file.endsWith('package.json'))),
  '@duckdb/node-api': (file) =>
    ['package.json', 'LICENSE'].includes(file) || (file.startsWith('lib/') && file.endsWith('.js')),
  '@duckdb/node-bindings': (file) => ['package.json', 'LICENSE', 'duckdb.js'].includes(file),
  'detect-libc': (file) =>
    ['package.json', 'LICENSE'].includes(file) || (file.startsWith('lib/') && file.endsWith('.js')),
  [`@duckdb/node-bindings-${process.platform}-${process.arch}`]: (file) =>
    !file.endsWith('.md') && !file.endsWith('.map'),
};

const options = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : 'linked',
  logLevel: 'warning',
  legalComments: 'eof',
  absWorkingDir: root,
  metafile: true,
};

/** Every file that this build wrote, so that leftovers of an older one can be told apart. */
const written = new Set();

const rememberOutputs = {
  name: 'remember-outputs',
  setup(build) {
    build.onEnd((result) => {
      for (const output of Object.keys(result.metafile?.outputs ?? {})) written.add(join(root, output));
    });
  },
};

/**
 * Says which packages are inside of the bundles that a packaged model takes along (all that begin in `src/scorer`), and
 * under which licences: `slipway package` makes its bill of materials of it.
 */
const rememberParts = {
  name: 'remember-parts',
  setup(build) {
    build.onEnd(async (result) => {
      if (result.errors.length > 0) return;
      const bundles = {};
      const names = new Set(['better-sqlite3', 'onnxruntime-node', 'onnxruntime-common']);
      for (const [output, { entryPoint, inputs }] of Object.entries(result.metafile?.outputs ?? {})) {
        if (!entryPoint?.startsWith('src/scorer/')) continue;
        const inside = Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => {
          const match = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(file);
          return match && bytesInOutput > 0 ? [file.slice(0, match.index + match[0].length - 1)] : [];
        });
        bundles[basename(output)] = [
          ...new Set(inside.map((folder) => folder.replace(/^node_modules\//, ''))),
        ];
        for (const name of bundles[basename(output)]) names.add(name);
      }
      const packages = {};
      for (const name of [...names].sort())
        packages[name] = await describePackage(join(root, 'node_modules', name));
      const parts = {
        slipway: await describePackage(root),
        bundles: Object.fromEntries(
          Object.entries(bundles).map(([bundle, inside]) => [
            bundle,
            inside.map((name) => `${packages[name].name}@${packages[name].version}`).sort(),
          ]),
        ),
        packages: Object.values(packages),
      };
      const file = join(dist, 'packageParts.json');
      await writeFile(file, `${JSON.stringify(parts, null, 2)}\n`);
      written.add(file);
    });
  },
};

/** Name, version and licence of the npm package in a folder. */
async function describePackage(folder) {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const named = (await readdir(folder)).find((file) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(file));
  return {
    name: manifest.name,
    version: manifest.version,
    license: typeof manifest.license === 'string' ? manifest.license : 'NOASSERTION',
    licenseText: named ? await readFile(join(folder, named), 'utf8') : null,
  };
}

/** Zod brings its messages in fifty languages, none of which a person sees: the borders speak to programs. */
const withoutZodLocales = {
  name: 'without-zod-locales',
  setup(build) {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/** The entry of the command line is small, so that what it says of compiling holds for all that comes behind it. */
const commandLineInItsBundle = {
  name: 'command-line-in-its-bundle',
  setup(build) {
    build.onResolve({ filter: /^\.\/commandLine\.ts$/ }, () => ({
      path: './commandLine.cjs',
      external: true,
    }));
  },
};

/** What only one bundle holds, and others load from its file when they need it. */
const grpcInItsBundle = {
  name: 'grpc-in-its-bundle',
  setup(build) {
    build.onResolve({ filter: /^@grpc\/grpc-js$/ }, ({ importer }) =>
      basename(importer) === 'grpcLibrary.ts' ? undefined : { path: './grpcLibrary.cjs', external: true },
    );
    // It describes services that are not offered, and brings a whole compiler for that.
    build.onLoad({ filter: /[\\/]@grpc[\\/]proto-loader[\\/]/ }, () => ({
      contents: "throw new Error('@grpc/proto-loader is not bundled');",
    }));
  },
};

/** The HTTP door checks its messages itself, so fastify's compilers of schemas would only cost memory and time. */
const withoutSchemaCompilers = {
  name: 'without-schema-compilers',
  setup(build) {
    const compilers = /[\\/]@fastify[\\/](ajv-compiler|fast-json-stringify-compiler)[\\/]/;
    build.onLoad({ filter: compilers }, ({ path }) => ({
      contents: `module.exports = () => () => { throw new Error(${JSON.stringify(`${basename(dirname(path))} is not bundled`)}); };`,
    }));
  },
};

async function exists(file) {
  return (await stat(file).catch(() => null)) !== null;
}

/** Copies by renaming a finished copy, because a running process may have the old file mapped into its memory. */
async function copyIfChanged(from, to) {
  written.add(to);
  const [source, target] = await Promise.all([stat(from), stat(to).catch(() => null)]);
  if (target && target.size === source.size && target.mtimeMs >= source.mtimeMs) return;
  await mkdir(dirname(to), { recursive: true });
  const partial = `${to}.${process.pid}.partial`;
  await copyFile(from, partial);
  await rename(partial, to);
}

async function copyNativePackage(name, isWanted) {
  const source = join(root, 'node_modules', name);
  if (!(await exists(source))) throw new Error(`${name} is not installed: run npm ci on this platform`);
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() && !entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const file = relative(source, path).replaceAll('\\', '/');
    if (file.startsWith('node_modules/') || !isWanted(file)) continue;
    await copyIfChanged(path, join(dist, 'node_modules', name, file));
  }
}

async function copyIconFont() {
  const folder = dirname(require.resolve('@vscode/codicons/dist/codicon.css'));
  for (const file of ['codicon.css', 'codicon.ttf']) {
    await copyIfChanged(join(folder, file), join(dist, 'webview', file));
  }
}

/** The command `slipway` for the terminals of the editor, which name the Node to use in SLIPWAY_NODE. */
async function writeCommand() {
  const unix = `#!/bin/sh
cli="$(cd "$(dirname "$0")/.." && pwd)/cli.cjs"
if [ -n "$SLIPWAY_NODE" ]; then
  ELECTRON_RUN_AS_NODE=1 exec "$SLIPWAY_NODE" "$cli" "$@"
fi
exec node "$cli" "$@"
`;
  const windows = `@echo off
if defined SLIPWAY_NODE (
  setlocal
  set ELECTRON_RUN_AS_NODE=1
  "%SLIPWAY_NODE%" "%~dp0..\\cli.cjs" %*
) else (
  node "%~dp0..\\cli.cjs" %*
)
`.replaceAll('\n', '\r\n');
  for (const [name, text] of [
    ['slipway', unix],
    ['slipway.cmd', windows],
  ]) {
    const file = join(dist, 'bin', name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, 0o755);
    written.add(file);
  }
}

/** What the Python programs of the editor's terminals find first on their search path. */
async function copyPython() {
  const source = join(root, 'src', 'python');
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name.endsWith('.py')) {
      await copyIfChanged(path, join(dist, 'python', relative(source, path)));
    }
  }
}

/** What loads models in the person's Python. Apart from `python`, so that no program of theirs finds it. */
async function copyPythonWorkers() {
  const source = join(root, 'src', 'inference', 'python', 'pythonWorkers');
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name.endsWith('.py')) {
      await copyIfChanged(path, join(dist, 'pythonWorkers', relative(source, path)));
    }
  }
}

async function removeLeftovers() {
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !written.has(path) && !path.endsWith('.partial')) await rm(path, { force: true });
  }
}

const builds = [
  {
    ...options,
    entryPoints: processes,
    outdir: dist,
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    format: 'cjs',
    // In files of their own: a letter in them beyond Latin-1 would double what the source takes in memory.
    legalComments: 'linked',
    target: 'node22',
    mainFields: ['module', 'main'],
    external: ['vscode', ...Object.keys(nativePackages)],
    // Node loads a CommonJS file several times as fast by require as by import.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    plugins: [
      rememberOutputs,
      rememberParts,
      commandLineInItsBundle,
      grpcInItsBundle,
      withoutZodLocales,
      withoutSchemaCompilers,
    ],
  },
  {
    ...options,
    entryPoints: pages,
    outdir: join(dist, 'webview'),
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.ttf': 'file', '.woff': 'file', '.svg': 'dataurl' },
    plugins: [rememberOutputs],
  },
];

await mkdir(dist, { recursive: true });
for (const [name, isWanted] of Object.entries(nativePackages)) await copyNativePackage(name, isWanted);
await copyIconFont();
await writeCommand();
await copyPython();
await copyPythonWorkers();

if (watch) {
  const contexts = await Promise.all(builds.map((build) => esbuild.context({ ...build, logLevel: 'info' })));
  await Promise.all(contexts.map((context) => context.watch()));
} else {
  await Promise.all(builds.map((build) => esbuild.build(build)));
  await removeLeftovers();
}
