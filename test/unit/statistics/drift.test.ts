import assert from 'node:assert/strict';
import fc from 'fast-check';
import { categoricalDrift, missingDrift, numericDrift } from '../../../src/statistics/drift.ts';
import { levelSample, normal, sample, seededRandom } from './sequences.ts';

const samePopulation = 200;
const sizes = [
  [50, 20],
  [200, 500],
  [1000, 20],
  [1000, 100],
] as const;

/** How many of 200 comparisons of a population with itself are called drifted, for the worst of all sample sizes. */
function worstFalseAlarms(
  compare: (n: number, m: number, random: () => number) => { drifted: boolean },
): number {
  const random = seededRandom(20_261_121);
  return Math.max(
    ...sizes.map(([n, m]) => {
      let alarms = 0;
      for (let round = 0; round < samePopulation; round += 1) if (compare(n, m, random).drifted) alarms += 1;
      return alarms;
    }),
  );
}

describe('verdict on numbers', () => {
  it('rarely calls a population drifted from itself, however small the window', () => {
    const draws: ((random: () => number) => number)[] = [
      normal,
      (random) => Math.exp(2 * normal(random)),
      (random) => (random() < 0.6 ? 0 : normal(random)),
      (random) => Math.floor(random() * 30),
    ];
    for (const draw of draws) {
      const alarms = worstFalseAlarms((n, m, random) =>
        numericDrift(
          sample(n, () => draw(random)),
          sample(m, () => draw(random)),
        ),
      );
      assert.ok(alarms <= 0.03 * samePopulation, `${alarms} of ${samePopulation}: ${draw}`);
    }
  });

  it('sees a shift behind an outlier that blinds bins of equal width', () => {
    const random = seededRandom(3);
    const withOutlier = (shift: number) =>
      Float64Array.from([...sample(999, () => normal(random) + shift), 1e6]).sort();
    const { drifted, psi, pValue } = numericDrift(withOutlier(0), withOutlier(2));
    assert.ok(drifted && psi > 2 && pValue < 1e-200, `psi ${psi}, p ${pValue}`);
  });

  it('sees a shift of one standard deviation in fifty rows', () => {
    const random = seededRandom(4);
    let seen = 0;
    for (let round = 0; round < 100; round += 1) {
      const reference = sample(2000, () => normal(random));
      if (
        numericDrift(
          reference,
          sample(50, () => normal(random) + 1),
        ).drifted
      )
        seen += 1;
    }
    assert.ok(seen >= 97, `${seen} of 100`);
  });

  it('does not call a difference drift that is only significant', () => {
    const random = seededRandom(5);
    const { drifted, pValue, psi } = numericDrift(
      sample(50_000, () => normal(random)),
      sample(50_000, () => normal(random) + 0.05),
    );
    assert.ok(pValue < 1e-6 && psi < 0.01 && !drifted);
  });

  it('tells a constant from other constants, and from itself', () => {
    const constant = (value: number, length: number) => new Float64Array(length).fill(value);
    assert.equal(numericDrift(constant(5, 50), constant(4, 40)).drifted, true);
    assert.equal(numericDrift(constant(5, 50), constant(6, 40)).drifted, true);
    assert.equal(numericDrift(constant(5, 50), constant(5, 40)).drifted, false);
  });

  it('is finite for any values and sizes', () => {
    const values = fc.array(fc.double({ noNaN: true }), { maxLength: 30 });
    fc.assert(
      fc.property(values, values, (first, second) => {
        const drift = numericDrift(Float64Array.from(first).sort(), Float64Array.from(second).sort());
        for (const value of [drift.psi, drift.psiLimit, drift.statistic, drift.pValue]) {
          assert.ok(Number.isFinite(value));
        }
      }),
    );
  });
});

describe('verdict on categories', () => {
  it('rarely calls a population drifted from itself, whatever its levels', () => {
    const draws: ((random: () => number) => string)[] = [
      (random) => (random() < 0.7 ? 'a' : 'b'),
      (random) => `level ${Math.floor(random() * 20)}`,
      (random) => `rank ${Math.floor(1 / (random() + 1e-4))}`,
      (random) => String(random()),
    ];
    for (const draw of draws) {
      const alarms = worstFalseAlarms((n, m, random) =>
        categoricalDrift(
          levelSample(n, () => draw(random)),
          levelSample(m, () => draw(random)),
        ),
      );
      assert.ok(alarms <= 0.03 * samePopulation, `${alarms} of ${samePopulation}: ${draw}`);
    }
  });

  it('does not take identifiers that count up for drift', () => {
    const ids = (from: number, length: number) =>
      new Map(Array.from({ length }, (_, index) => [`id-${from + index}`, 1]));
    assert.equal(categoricalDrift(ids(0, 5000), ids(5000, 300)).drifted, false);
  });

  it('stays calm about one new level in one row, and sees one that takes over', () => {
    const reference = new Map([
      ['a', 6000],
      ['b', 4000],
    ]);
    assert.equal(
      categoricalDrift(
        reference,
        new Map([
          ['a', 30],
          ['b', 19],
          ['new', 1],
        ]),
      ).drifted,
      false,
    );
    assert.equal(
      categoricalDrift(
        reference,
        new Map([
          ['a', 30],
          ['b', 10],
          ['new', 10],
        ]),
      ).drifted,
      true,
    );
    assert.equal(categoricalDrift(new Map([['a', 10_000]]), new Map([['new', 200]])).drifted, true);
    assert.equal(categoricalDrift(new Map([['a', 10_000]]), new Map([['new', 8]])).drifted, true);
  });

  it('sees all rows in new levels although each old one is rare', () => {
    const reference = new Map(Array.from({ length: 20 }, (_, index) => [`level ${index}`, 500]));
    assert.equal(categoricalDrift(reference, new Map([['new', 50]])).drifted, true);
  });

  it('says nothing of a constant, or of an empty side', () => {
    assert.deepEqual(
      [
        categoricalDrift(new Map([['a', 50]]), new Map([['a', 40]])),
        categoricalDrift(new Map(), new Map([['a', 40]])),
      ].map(({ psi, pValue, drifted }) => ({ psi, pValue, drifted })),
      [
        { psi: 0, pValue: 1, drifted: false },
        { psi: 0, pValue: 1, drifted: false },
      ],
    );
  });

  it('orders levels with equal mean shares by their names, however the shares round', () => {
    const reference = [
      [' ', 4],
      ['!', 10],
      ['', 4],
    ] as const;
    const current = [
      ['', 57],
      [' ', 40],
      ['"', 26],
      ['#', 46],
      ['$', 2],
    ] as const;
    for (const side of [reference, reference.toReversed()]) {
      const { histogram } = categoricalDrift(new Map(side), new Map(current));
      assert.deepEqual(histogram.levels, ['', '!', ' ', '#', '"', '$']);
    }
  });

  it('is finite, and does not depend on the order of levels', () => {
    const levels = fc.uniqueArray(fc.tuple(fc.string({ maxLength: 3 }), fc.integer({ min: 1, max: 60 })), {
      selector: ([level]) => level,
      maxLength: 12,
    });
    fc.assert(
      fc.property(levels, levels, (first, second) => {
        const drift = categoricalDrift(new Map(first), new Map(second));
        const reversed = categoricalDrift(new Map([...first].reverse()), new Map([...second].reverse()));
        assert.deepEqual(reversed, drift);
        for (const value of [drift.psi, drift.psiLimit, drift.statistic, drift.pValue]) {
          assert.ok(Number.isFinite(value));
        }
      }),
    );
  });
});

describe('verdict on missing values', () => {
  it('sees a column that stopped coming, and ignores a few gaps', () => {
    assert.equal(missingDrift({ missing: 0, present: 5000 }, { missing: 300, present: 0 }).drifted, true);
    assert.equal(missingDrift({ missing: 20, present: 5000 }, { missing: 3, present: 300 }).drifted, false);
    assert.equal(missingDrift({ missing: 0, present: 5000 }, { missing: 0, present: 300 }).drifted, false);
  });
});
