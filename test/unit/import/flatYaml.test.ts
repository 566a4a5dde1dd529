import assert from 'node:assert/strict';
import fc from 'fast-check';
import { metaYaml } from '../../../src/engine/interop/mlrunsFiles.ts';
import {
  numberOf,
  parseFlatYaml,
  parsePythonYaml,
  textOf,
  textsOf,
} from '../../../src/worker/import/flatYaml.ts';

describe('The YAML of a file store', () => {
  it('keeps as text what YAML 1.2 would take for numbers', () => {
    const map = parseFlatYaml(
      "name: 1e3\nid: 0012\nhex: 0x1f\nyes: yes\nquoted: 'null'\nempty: ''\nnothing:\nnull: ~\n",
    );
    assert.deepEqual(
      { ...map },
      {
        name: '1e3',
        id: '0012',
        hex: '0x1f',
        yes: 'yes',
        quoted: 'null',
        empty: '',
        nothing: null,
        null: null,
      },
    );
  });

  it('reads numbers and maps where they are wanted', () => {
    const map = parseFlatYaml('a: 12\nb: -3.0\nc: 1.5\nd: x\ntags: {k: v, n: 1}\nlist: [1]\n');
    assert.deepEqual(
      ['a', 'b', 'c', 'd', 'e'].map((key) => numberOf(map, key)),
      [12, -3, null, null, null],
    );
    assert.deepEqual(textsOf(map, 'tags'), [
      { key: 'k', value: 'v' },
      { key: 'n', value: '1' },
    ]);
    assert.deepEqual(
      [textsOf(map, 'list'), textOf(map, 'list'), textOf(map, 'constructor')],
      [[], null, null],
    );
  });

  it('refuses aliases, what is no map, and what is no YAML', () => {
    for (const text of ['a: &x [1]\nb: *x\n', '- 1\n', 'text', 'a: [', '']) {
      assert.throws(() => parseFlatYaml(text), text);
    }
  });

  it('makes nothing of tags', () => {
    assert.equal(textOf(parseFlatYaml('a: !!python/object/apply:os.system ["x"]\nb: 1\n'), 'b'), '1');
  });

  it('reads the values of an assessment as PyYAML does', () => {
    const text =
      "a: 1\nb: -2.5e+3\nc: .inf\nd: -.Inf\ne: .nan\nf: yes\ng: 'no'\nh: 1e3\ni: ~\nj: [off, null, 012]\nk: {l: x}\n";
    assert.deepEqual(parsePythonYaml(text), {
      ...{ a: 1, b: -2500, c: Infinity, d: -Infinity, e: Number.NaN, f: true, g: 'no', h: '1e3', i: null },
      ...{ j: [false, null, '012'], k: { l: 'x' } },
    });
    for (const broken of ['a: &x 1\nb: *x\n', 'a: [']) assert.throws(() => parsePythonYaml(broken), broken);
  });

  it('reads every text that an export writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.integer(), (text, value, number) => {
        const map = parseFlatYaml(metaYaml({ text, number, nothing: null, tags: { [`k${text}`]: value } }));
        assert.equal(textOf(map, 'text'), text.toWellFormed());
        assert.equal(numberOf(map, 'number'), number);
        assert.equal(textOf(map, 'nothing'), null);
        assert.deepEqual(textsOf(map, 'tags'), [{ key: `k${text}`.toWellFormed(), value }]);
      }),
    );
  });
});
