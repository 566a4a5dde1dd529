import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type TrafficSplitInput, trafficSplit } from '../../src/protocol/scorer.ts';
import { chooseVariant, placeOfKey, variantAt } from '../../src/scorer/trafficSplit.ts';

const split = (candidateShare: number, rest: Partial<TrafficSplitInput> = {}) =>
  trafficSplit.parse({
    model: 'wine',
    salt: 'first rollout',
    variants: [
      { name: 'stable', version: 1, share: 1 - candidateShare },
      { name: 'candidate', version: 2, share: candidateShare },
    ],
    ...rest,
  });

const keys = Array.from({ length: 20_000 }, (_, index) => `user-${index}`);

describe('A traffic split', () => {
  it('meets each variant as often as its share says, with keys that differ in their last letter only', () => {
    for (const share of [0, 0.01, 0.05, 0.25, 0.5, 1]) {
      const met = keys.filter((key) => variantAt(split(share), placeOfKey('salt', key)).name === 'candidate');
      // Four standard deviations of a binomial distribution.
      const deviation = 4 * Math.sqrt(keys.length * share * (1 - share));
      assert.ok(Math.abs(met.length - keys.length * share) <= deviation, `${met.length} for ${share}`);
    }
  });

  it('only ever moves keys to the candidate while its share grows', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (salt, key, one, other) => {
          const [low, high] = [Math.min(one, other), Math.max(one, other)];
          const place = placeOfKey(salt, key);
          if (variantAt(split(low), place).name === 'candidate') {
            assert.equal(variantAt(split(high), place).name, 'candidate');
          }
        },
      ),
    );
  });

  it('gives other keys to the candidate when the salt is another', () => {
    const metBy = (salt: string) =>
      new Set(keys.filter((key) => variantAt(split(0.1), placeOfKey(salt, key)).name === 'candidate'));
    const [first, second] = [metBy('a'), metBy('b')];
    const both = [...first].filter((key) => second.has(key));
    assert.ok(both.length < first.size * 0.2, `${both.length} of ${first.size}`);
  });

  it('splits among three variants, and gives the first what the others leave', () => {
    const three = trafficSplit.parse({
      model: 'wine',
      salt: '',
      variants: [
        { name: 'stable', version: 1, share: 0.5 },
        { name: 'b', version: 2, share: 0.3 },
        { name: 'c', version: 3, share: 0.2 },
      ],
    });
    const names = [0, 0.19, 0.2, 0.49, 0.5, 0.99].map((place) => variantAt(three, place).name);
    assert.deepEqual(names, ['c', 'c', 'b', 'b', 'stable', 'stable']);
  });

  it('finds the key in a header, a cookie or a parameter', () => {
    const key = keys.find((name) => placeOfKey('first rollout', name) < 0.01) ?? '';
    const other = keys.find((name) => placeOfKey('first rollout', name) > 0.99) ?? '';
    const meets = (sticky: TrafficSplitInput['sticky'], headers: Record<string, string>, parameters = {}) =>
      chooseVariant(split(0.5, { sticky }), { parameters }, headers).name;
    for (const [name, expected] of [
      [key, 'candidate'],
      [other, 'stable'],
    ] as const) {
      assert.equal(meets({ from: 'header', name: 'X-User' }, { 'x-user': name }), expected);
      assert.equal(meets({ from: 'cookie', name: 'user' }, { cookie: `a=b; user=${name};c` }), expected);
      assert.equal(meets({ from: 'parameter', name: 'user' }, {}, { user: name }), expected);
    }
  });

  it('meets the variant that a client met before, unless that was taken back', () => {
    const headers = { 'x-slipway-variant': 'candidate' };
    for (let time = 0; time < 50; time++) {
      assert.equal(chooseVariant(split(0.01), {}, headers).name, 'candidate');
      assert.equal(chooseVariant(split(0), {}, headers).name, 'stable');
      assert.equal(chooseVariant(split(0), {}, { 'x-slipway-variant': 'nonsense' }).name, 'stable');
    }
  });
});
