import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractTypeScriptConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import ts from 'typescript';
import { repository } from '../toolchain/cacheFolder.ts';

const configuration = createRequire(import.meta.url)(join(repository, '.dependency-cruiser.cjs'));

/** For each rule, files of which the first one breaks it. */
const breaches: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no-cycles': {
    'src/engine/first.ts': "import './second.ts';",
    'src/engine/second.ts': "import './first.ts';",
  },
  'only-the-extension-imports-vscode': { 'src/engine/window.ts': "import 'vscode';" },
  'protocol-imports-nothing-of-ours': {
    'src/protocol/greedy.ts': "import '../statistics/mean.ts';",
    'src/statistics/mean.ts': '',
  },
  'statistics-imports-nothing-of-ours': {
    'src/statistics/greedy.ts': "import '../protocol/message.ts';",
    'src/protocol/message.ts': '',
  },
  'git-imports-nothing-of-ours': {
    'src/git/greedy.ts': "import '../protocol/message.ts';",
    'src/protocol/message.ts': '',
  },
  'inference-imports-protocol-only': {
    'src/inference/greedy.ts': "import '../scorer/session.ts';",
    'src/scorer/session.ts': '',
  },
  'supervision-imports-protocol-only': {
    'src/supervision/greedy.ts': "import '../scorer/session.ts';",
    'src/scorer/session.ts': '',
  },
  'tuning-imports-supervision-and-protocol-only': {
    'src/tuning/greedy.ts': "import '../engine/rules.ts';",
    'src/engine/rules.ts': '',
  },
  'scorer-imports-shared-rooms-only': {
    'src/scorer/greedy.ts': "import '../engine/rules.ts';",
    'src/engine/rules.ts': '',
  },
  'worker-imports-shared-rooms-only': {
    'src/worker/greedy.ts': "import '../engine/rules.ts';",
    'src/engine/rules.ts': '',
  },
  'engine-imports-shared-rooms-only': {
    'src/engine/greedy.ts': "import '../scorer/session.ts';",
    'src/scorer/session.ts': '',
  },
  'extension-imports-protocol-only': {
    'src/extension/greedy.ts': "import type { Rule } from '../engine/rules.ts'; export type Mine = Rule;",
    'src/engine/rules.ts': 'export interface Rule {}',
  },
  'webview-imports-protocol-and-statistics-only': {
    'src/webview/greedy.tsx': "import '../extension/tree.ts';",
    'src/extension/tree.ts': '',
  },
  'cli-opens-the-engine-by-its-front-door': {
    'src/cli/thief.ts': "import '../engine/rules.ts';",
    'src/engine/rules.ts': '',
  },
  'native-modules-stay-in-their-process': { 'src/extension/heavy.ts': "import 'better-sqlite3';" },
  'database-is-the-bottom': {
    'src/engine/database/climber.ts': "import '../tracking/service.ts';",
    'src/engine/tracking/service.ts': '',
  },
  'stores-import-only-the-database-and-nouns': {
    'src/engine/registry/store.ts': "import './service.ts';",
    'src/engine/registry/service.ts': '',
  },
  'tracking-store-belongs-to-its-service': {
    'src/engine/registry/service.ts': "import '../tracking/store.ts';",
    'src/engine/tracking/store.ts': '',
  },
  'domains-never-import-http': {
    'src/engine/serving/service.ts': "import '../http/server.ts';",
    'src/engine/http/server.ts': '',
  },
  'http-holds-no-rule-and-no-sql': {
    'src/engine/http/routes.ts': "import '../database/connection.ts';",
    'src/engine/database/connection.ts': '',
  },
};

describe('the walls of the design', function () {
  this.timeout(120_000);
  let tree = '';

  beforeEach(async () => {
    tree = await mkdtemp(join(tmpdir(), 'slipway-walls-'));
    await cp(join(repository, 'tsconfig.json'), join(tree, 'tsconfig.json'));
    await cp(join(repository, 'package.json'), join(tree, 'package.json'));
    await symlink(join(repository, 'node_modules'), join(tree, 'node_modules'), 'junction');
  });
  afterEach(() => rm(tree, { recursive: true, force: true }));

  for (const [rule, files] of Object.entries(breaches)) {
    it(`${rule}: a breach is reported as an error`, async () => {
      for (const [file, text] of Object.entries(files)) {
        await mkdir(dirname(join(tree, file)), { recursive: true });
        await writeFile(join(tree, file), text);
      }
      const broken = await brokenRules(tree);
      assert.ok(broken.includes(rule), `reported: ${broken.join(', ') || 'nothing'}`);
    });
  }

  it('every rule has a breach that shows it', () => {
    const rules: readonly string[] = configuration.forbidden.map(
      ({ name }: { readonly name: string }) => name,
    );
    const shown = Object.keys(breaches);
    const sameForEachDomain = rules.filter((rule) => rule.endsWith('-store-belongs-to-its-service'));
    assert.deepEqual(
      rules.filter((rule) => !shown.includes(rule) && !sameForEachDomain.includes(rule)),
      [],
    );
  });

  it('only the webview sees the DOM: elsewhere its names do not compile', () => {
    const project = join(repository, 'src');
    const { config } = ts.readConfigFile(join(project, 'tsconfig.json'), ts.sys.readFile);
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, project);
    const breach = join(project, 'engine', 'breach.ts');
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists } = host;
    const text = 'export const title = document.title;';
    host.fileExists = (file) => file === breach || fileExists(file);
    host.getSourceFile = (file, ...rest) =>
      file === breach
        ? ts.createSourceFile(file, text, ts.ScriptTarget.ESNext)
        : getSourceFile(file, ...rest);
    const program = ts.createProgram([...fileNames, breach], options, host);
    const messages = program
      .getSemanticDiagnostics(program.getSourceFile(breach))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    assert.match(messages.join('\n'), /document/);
  });
});

/** The rules that the lint step reports as broken in a tree. */
async function brokenRules(tree: string): Promise<string[]> {
  const { output } = await cruise(
    ['src'],
    { ...configuration.options, ruleSet: configuration, validate: true, baseDir: tree },
    undefined,
    { tsConfig: extractTypeScriptConfig(join(tree, 'tsconfig.json')) },
  );
  const { summary }: ICruiseResult = typeof output === 'string' ? JSON.parse(output) : output;
  return summary.violations.filter(({ rule }) => rule.severity === 'error').map(({ rule }) => rule.name);
}
