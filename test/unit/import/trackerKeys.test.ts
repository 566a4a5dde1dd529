import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkKey } from '../../../src/engine/tracking/limits.ts';
import { allowedKey, artifactPath, createKeys } from '../../../src/worker/import/tracker/keys.ts';

describe('Keys of other trackers', () => {
  it('leaves what MLflow allows as it is', () => {
    for (const name of ['loss', 'val/acc', 'a.b-c_d e:f', 'größe', '0']) assert.equal(allowedKey(name), name);
  });

  it('finds the nearest key that is allowed', () => {
    const pairs = [
      ['system/cpu/usage (%)', 'system/cpu/usage percent'],
      ['a=b', 'a_b'],
      ['/loss/', 'loss'],
      ['a//b', 'a/b'],
      ['../x', '_../x'],
      ['./x', 'x'],
      ['', '_'],
    ] as const;
    for (const [name, key] of pairs) assert.equal(allowedKey(name), key);
  });

  it('makes a key that MLflow takes of any name', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 400 }),
      fc.string({ unit: fc.constantFrom('.', '/', 'a', ' ', '%'), maxLength: 20 }),
    );
    fc.assert(fc.property(name, (text) => checkKey(allowedKey(text), 'Metric name')));
  });

  it('gives no two names one key, and tells which keys are not their names', () => {
    const keys = createKeys('run 1/metrics');
    assert.equal(keys.of('a_b'), 'a_b');
    const second = keys.of('a=b');
    assert.notEqual(second, 'a_b');
    assert.equal(keys.of('a=b'), second);
    assert.deepEqual(
      [...keys.changed()],
      [{ type: 'omission', subject: 'run 1/metrics/a=b', reason: 'keyChanged', values: { key: second } }],
    );
  });

  it('lets no name lead out of the artifacts', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', ':') }), (name) => {
        const segments = artifactPath(name).split('/');
        assert.ok(segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..'));
        assert.ok(!/[\\:]/.test(artifactPath(name)));
      }),
    );
  });
});
