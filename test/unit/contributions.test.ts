import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  category,
  commands,
  contextKeys,
  settings,
  viewContainer,
  viewItems,
  views,
  walkthrough,
} from '../../src/extension/contributions.ts';
import { errorDetails } from '../../src/protocol/errorDetails.ts';
import { errorCatalogue } from '../../src/protocol/errors.ts';
import { omissionReasons } from '../../src/protocol/importing.ts';
import { servingTexts } from '../../src/protocol/servingSentences.ts';
import { findTranslationCalls } from './translatedTexts.ts';

const root = join(import.meta.dirname, '..', '..');

const menuItem = z.object({ command: z.string(), when: z.string().optional(), group: z.string().optional() });
const manifestSchema = z.object({
  l10n: z.string(),
  main: z.string(),
  icon: z.string(),
  extensionKind: z.array(z.string()),
  activationEvents: z.array(z.string()),
  capabilities: z.object({
    untrustedWorkspaces: z.object({
      supported: z.literal('limited'),
      description: z.string(),
      restrictedConfigurations: z.array(z.string()),
    }),
    virtualWorkspaces: z.literal(false),
  }),
  contributes: z.object({
    viewsContainers: z.object({
      activitybar: z.array(z.object({ id: z.string(), title: z.string(), icon: z.string() })),
    }),
    views: z.record(z.string(), z.array(z.object({ id: z.string(), name: z.string(), icon: z.string() }))),
    viewsWelcome: z.array(z.object({ view: z.string(), contents: z.string(), when: z.string() })),
    commands: z.array(
      z.object({
        command: z.string(),
        category: z.string(),
        title: z.string(),
        icon: z.string().optional(),
        enablement: z.string().optional(),
      }),
    ),
    menus: z.record(z.string(), z.array(menuItem)),
    configuration: z.object({
      properties: z.record(z.string(), z.looseObject({ default: z.unknown(), scope: z.string() })),
    }),
    walkthroughs: z.array(
      z.object({
        id: z.string(),
        steps: z.array(
          z.object({
            id: z.string(),
            media: z.object({ svg: z.string(), altText: z.string() }),
            completionEvents: z.array(z.string()),
          }),
        ),
      }),
    ),
  }),
});

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}

const texts = z.record(z.string(), z.string());
const manifestText = readFileSync(join(root, 'package.json'), 'utf8');
const manifest = manifestSchema.parse(JSON.parse(manifestText));
const { contributes } = manifest;

/** Fails with the names of what is on one side only. */
function assertSame(
  actual: Iterable<string>,
  expected: Iterable<string>,
  actualName: string,
  expectedName: string,
) {
  const found = new Set(actual);
  const wanted = new Set(expected);
  const missing = [...wanted].filter((name) => !found.has(name));
  const surplus = [...found].filter((name) => !wanted.has(name));
  assert.deepEqual(missing, [], `in ${expectedName}, but not in ${actualName}`);
  assert.deepEqual(surplus, [], `in ${actualName}, but not in ${expectedName}`);
}

describe('contributions', () => {
  describe('the manifest agrees with the table', () => {
    it('on commands', () => {
      assertSame(
        contributes.commands.map(({ command }) => command),
        Object.keys(commands),
        'the manifest',
        'the table',
      );
      for (const found of contributes.commands) {
        const id = Object.keys(commands).find((name) => name === found.command) as keyof typeof commands;
        const definition: { readonly icon?: string; readonly needsTrust: boolean } = commands[id];
        assert.equal(found.category, category, id);
        assert.equal(found.title, `%command.${id.replace('slipway.', '')}%`, id);
        assert.equal(found.icon, definition.icon && `$(${definition.icon})`, `icon of ${id}`);
        assert.equal(
          found.enablement,
          definition.needsTrust ? 'isWorkspaceTrusted' : undefined,
          `trust of ${id}`,
        );
      }
    });

    it('on which commands the palette hides', () => {
      const hidden = contributes.menus.commandPalette?.filter(({ when }) => when === 'false') ?? [];
      assertSame(
        hidden.map(({ command }) => command),
        Object.entries(commands).flatMap(([id, { inPalette }]) => (inPalette ? [] : [id])),
        'the manifest',
        'the table',
      );
    });

    it('on settings', () => {
      const { properties } = contributes.configuration;
      assertSame(Object.keys(properties), Object.keys(settings), 'the manifest', 'the table');
      for (const [id, definition] of Object.entries(settings)) {
        const property = properties[id];
        assert.deepEqual(property?.default, definition.default, `default of ${id}`);
        assert.ok(definition.value.safeParse(property?.default).success, `${id}: its default fits its type`);
      }
      assertSame(
        manifest.capabilities.untrustedWorkspaces.restrictedConfigurations,
        Object.entries(settings).flatMap(([id, { restricted }]) => (restricted ? [id] : [])),
        'restrictedConfigurations',
        'the table',
      );
    });

    it('on views, in the order of the journey', () => {
      assert.deepEqual(
        contributes.viewsContainers.activitybar.map(({ id }) => id),
        [viewContainer],
      );
      assert.deepEqual(
        contributes.views[viewContainer]?.map(({ id }) => id),
        Object.values(views),
      );
      assert.deepEqual(Object.keys(contributes.views), [viewContainer]);
    });

    it('on the walkthrough', () => {
      assert.deepEqual(
        contributes.walkthroughs.map(({ id }) => id),
        [walkthrough],
      );
      const ids = new Set<string>([...Object.keys(commands), ...Object.keys(contextKeys)]);
      for (const { id, completionEvents } of contributes.walkthroughs.flatMap(({ steps }) => steps)) {
        for (const event of completionEvents) {
          assert.ok(ids.has(event.replace(/^on(Command|Context):/, '')), `step ${id}: ${event}`);
        }
      }
    });

    it('in every menu and welcome text: only names that exist', () => {
      const items = Object.values(contributes.menus).flat();
      for (const { command } of items) assert.ok(command in commands, `menu item of unknown ${command}`);
      const known = new Set<string>([...Object.values(views), ...Object.keys(contextKeys)]);
      const conditions = [...items, ...contributes.viewsWelcome].flatMap(({ when }) => when ?? []);
      for (const when of conditions) {
        const outsidePatterns = when.replaceAll(/=~ \/[^ ]*\//g, '');
        for (const [name] of outsidePatterns.matchAll(/slipway\.\w+(\.\w+)*/g)) {
          assert.ok(known.has(name), `${name} in "${when}"`);
        }
        for (const [, kind] of when.matchAll(/viewItem == (\w+)/g)) {
          assert.ok(
            viewItems.some((item) => item === kind),
            `viewItem ${kind} in "${when}"`,
          );
        }
        for (const [, pattern] of when.matchAll(/viewItem =~ \/([^ ]*)\//g)) {
          const expression = new RegExp(pattern ?? '');
          assert.ok(
            viewItems.some((item) => expression.test(item)),
            `"${when}" fits some kind of element`,
          );
        }
      }
    });

    it('has at most two buttons on any row', () => {
      const inline =
        contributes.menus['view/item/context']?.filter(({ group }) => group?.startsWith('inline')) ?? [];
      for (const kind of viewItems) {
        for (const view of Object.values(views)) {
          const shown = inline.filter(({ when = '' }) => {
            if (!when.startsWith(`view == ${view} `)) return false;
            const pattern = /viewItem =~ \/(.*)\//.exec(when)?.[1];
            return pattern ? new RegExp(pattern).test(kind) : when.endsWith(`viewItem == ${kind}`);
          });
          assert.ok(shown.length <= 2, `${kind} in ${view}: ${shown.map(({ command }) => command)}`);
        }
      }
    });

    it('names only files that exist', () => {
      const files = [
        manifest.icon,
        ...contributes.viewsContainers.activitybar.map(({ icon }) => icon),
        ...Object.values(contributes.views).flatMap((list) => list.map(({ icon }) => icon)),
        ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.svg)),
      ];
      assert.deepEqual(
        files.filter((file) => !existsSync(join(root, file))),
        [],
      );
    });
  });

  describe('translations', () => {
    const bundles = ['l10n/bundle.l10n.json', 'l10n/bundle.l10n.pt-br.json'];
    const manifestBundles = ['package.nls.json', 'package.nls.pt-br.json'];
    const sources = globSync('src/{extension,protocol,webview}/**/*.{ts,tsx}', { cwd: root }).map((file) =>
      join(root, file),
    );
    const { literal, computed } = findTranslationCalls(root, sources);
    const errorTexts = Object.values(errorCatalogue)
      .flatMap(({ message, remedy }) => [message, remedy])
      .filter((text) => text !== '' && text !== '{detail}');
    const needed = new Map<string, string>([
      ...literal.map(({ text, place }) => [text, place] as const),
      ...errorTexts.map((text) => [text, 'src/protocol/errors.ts'] as const),
      ...Object.values(omissionReasons).map((text) => [text, 'src/protocol/importing.ts'] as const),
      ...Object.values(errorDetails).map((text) => [text, 'src/protocol/errorDetails.ts'] as const),
      ...servingTexts.map((text) => [text, 'src/protocol/servingSentences.ts'] as const),
    ]);

    for (const file of manifestBundles) {
      it(`${file} has every text of the manifest, and no other`, () => {
        const keys = new Set([...manifestText.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key ?? ''));
        assertSame(Object.keys(texts.parse(readJson(file))), keys, file, 'package.json');
      });
    }

    for (const file of bundles) {
      it(`${file} has every text of the code, and no other`, () => {
        const found = texts.parse(readJson(file));
        const missing = [...needed].filter(([text]) => !(text in found));
        assert.deepEqual(
          missing.map(([text, place]) => `${place}: ${text}`),
          [],
          `missing in ${file}`,
        );
        const unused = Object.keys(found).filter((text) => !needed.has(text));
        assert.deepEqual(unused, [], `no code uses these of ${file}`);
      });
    }

    it('keep the places for values', () => {
      const places = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();
      for (const file of bundles) {
        for (const [text, translation] of Object.entries(texts.parse(readJson(file)))) {
          assert.deepEqual(places(translation), places(text), `${file}: ${text}`);
        }
      }
    });

    it('keep the links of the manifest', () => {
      const [english = {}, portuguese = {}] = manifestBundles.map((file) => texts.parse(readJson(file)));
      const links = (text = '') => [...text.matchAll(/\(command:([\w.]+)\)/g)].map(([, id = '']) => id);
      for (const [key, text] of Object.entries(english)) {
        assert.deepEqual(links(portuguese[key]), links(text), key);
        for (const id of links(text)) {
          if (/^slipway\.\w+$/.test(id)) assert.ok(id in commands, `${key}: ${id}`);
        }
      }
    });

    it('are of texts that stand in the code', () => {
      // The texts of errors, omissions and sayings come from their catalogues, whose every text is checked above.
      const catalogues =
        /^src\/(extension\/views\/errors|webview\/components\/errorText|\w+\/serving\/saidText)\.ts:/;
      const others = computed.filter((place) => !catalogues.test(place));
      assert.deepEqual(others, [], 'l10n.t with a text that no test can see');
    });
  });
});
