import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readableJson } from '../../../src/extension/serving/readableJson.ts';

describe('JSON as people read it', () => {
  it('has room after commas and names, but not within texts', () => {
    assert.equal(readableJson('{"a,b":[1,-2],"c\\\\":"x\\",y:z"}'), '{"a,b": [1, -2], "c\\\\": "x\\",y:z"}');
  });

  it('has the shortest digits of numbers that single precision holds, and all of any other', () => {
    assert.equal(
      readableJson('{"hour":6.230000019073486,"delay":-180.1999969482422,"p":0.7401070594787598}'),
      '{"hour": 6.23, "delay": -180.2, "p": 0.74010706}',
    );
    for (const other of [
      '0.1234567890123',
      '9007199254740993',
      '123456789012',
      '1.5',
      '"6.230000019073486"',
    ]) {
      assert.equal(readableJson(other), other);
    }
  });

  it('says the same of any JSON, wherever it is cut off', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.nat(), (json, at) => {
        const end = at % (json.length + 1);
        const same = (text: string) => text.replaceAll(' ', '');
        const float = (text: string) => text.replaceAll(/-?\d[\d.eE+-]*/g, '0');
        assert.equal(float(same(readableJson(json.slice(0, end)))), float(same(json.slice(0, end))));
        // A double that is one of single precision may lose digits which that does not tell apart.
        const single = (_name: string, value: unknown) =>
          typeof value === 'number' ? Math.fround(value) : value;
        assert.deepEqual(JSON.parse(readableJson(json), single), JSON.parse(json, single));
      }),
    );
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        // JSON has no negative zero.
        assert.equal(Math.fround(Number(readableJson(JSON.stringify(value)))), Math.fround(value) + 0);
      }),
    );
  });
});
