import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

function bundle(name: string): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(root, 'l10n', name), 'utf8'));
}

/** The texts that the pages show: the first argument of each `l10n.t`. */
function texts(): readonly string[] {
  const found = new Set<string>();
  for (const file of globSync('src/webview/**/*.{ts,tsx}', { cwd: root })) {
    // They translate the texts of the catalogues of errors and sayings, which contributions.test.ts checks.
    if (file.endsWith('errorText.ts') || file.endsWith('saidText.ts')) continue;
    const source = readFileSync(join(root, file), 'utf8');
    const literals = [...source.matchAll(/l10n\.t\(\s*'((?:[^'\\]|\\.)*)'/g)];
    assert.equal(
      literals.length,
      source.split('l10n.t(').length - 1,
      `${file}: a text that is no plain literal`,
    );
    for (const [, text = ''] of literals) found.add(text);
  }
  return [...found].sort();
}

function places(text: string): readonly string[] {
  return (text.match(/\{\w+\}/g) ?? []).sort();
}

describe('the texts of the pages', () => {
  const english = bundle('bundle.l10n.json');
  const portuguese = bundle('bundle.l10n.pt-br.json');

  it('are all in the English bundle, as they are', () => {
    assert.deepEqual(
      texts().filter((text) => english[text] !== text),
      [],
    );
  });

  it('are all translated to Brazilian Portuguese with the same places for values', () => {
    const wrong = texts().filter((text) => {
      const translated = portuguese[text];
      return !translated || places(translated).join() !== places(text).join();
    });
    assert.deepEqual(wrong, []);
  });
});
