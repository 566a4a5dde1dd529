import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fill } from '../../../src/protocol/errorDetails.ts';
import {
  because,
  errorSentence,
  phrase,
  type Saying,
  type SentenceKind,
  type SentenceValue,
  say,
  servingSentences,
} from '../../../src/protocol/servingSentences.ts';
import { readSayingText } from '../../../src/protocol/storedSaying.ts';
import { portuguese, texts } from './portuguese.ts';

const kinds = Object.keys(servingSentences) as SentenceKind[];

const saying: Saying = [
  phrase('hasNoJudgement', { count: 3 }),
  phrase('checkBeside', {
    metric: phrase('latencyP99'),
    candidate: 4,
    candidateSamples: 200,
    value: { milliseconds: 12.5 },
    stable: 3,
    stableSamples: 900,
    stableValue: { milliseconds: 4 },
    expected: phrase('bothOf', {
      one: phrase('atMost', { bound: { milliseconds: 10 } }),
      other: phrase('atMostTimes', { ratio: { figure: 1.5 } }),
    }),
  }),
  ...because(' too slow '),
];

describe('what the engine says of endpoints', () => {
  it('is English for the log, and the reader’s language in the editor, with their numbers', () => {
    assert.equal(
      say(saying),
      'After 3 looks there is no judgement. The 99th percentile of the latency of version 4 is 12.5 ms (200) beside 4 ms of version 3 (900); expected: at most 10 ms and at most 1.5 times as much. Reason: too slow',
    );
    assert.equal(
      say(saying, portuguese),
      'Depois de 3 análises ainda não há conclusão. O percentil 99 da latência da versão 4 é 12,5 ms (200) ao lado de 4 ms da versão 3 (900); esperado: no máximo 10 ms e no máximo 1,5 vezes o valor. Motivo: too slow',
    );
  });

  it('chooses between one and several, and tells errors in the reader’s words', () => {
    assert.equal(say([phrase('hasNoJudgement', { count: 1 })]), 'After 1 look there is no judgement.');
    const refused = [
      phrase('cannotBeServed', { version: 9 }),
      errorSentence(new Error('the file is short')),
      ...because('  '),
    ];
    assert.match(say(refused), /^Version 9 cannot be served\. .*the file is short/);
    assert.match(say(refused, portuguese), /^A versão 9 não pode ser servida\. .*the file is short/);
  });

  it('has a translation of every kind that differs from the English', () => {
    const filled = new Proxy({}, { get: () => 7, ownKeys: () => [] });
    for (const kind of kinds) {
      const text = servingSentences[kind];
      for (const english of typeof text === 'string' ? [text] : [text.one, text.other]) {
        const translated = texts[english];
        assert.ok(translated !== undefined, `${kind} is translated`);
        if (kind !== 'bothOf') assert.notEqual(translated, english, kind);
        assert.doesNotMatch(fill(translated, filled), /[{}]/, kind);
      }
    }
  });

  it('is read as it was stored; a text of an older version is said as it is', () => {
    const leaf: fc.Arbitrary<SentenceValue> = fc.oneof(
      fc.integer(),
      fc.string(),
      fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ milliseconds: fc.nat() }),
      fc.record({ figure: fc.integer() }),
    );
    const kind = fc.constantFrom(...kinds);
    const values = (value: fc.Arbitrary<SentenceValue>) =>
      fc.dictionary(fc.constantFrom('version', 'why', 'count', 'one'), value);
    const inner = fc.record({ kind, values: values(leaf) });
    const sentence = fc.oneof(
      fc.record({ kind, values: values(fc.oneof(leaf, inner)) }),
      fc.record({ text: fc.string() }),
      fc.constant(errorSentence(new Error('why'))),
    );
    fc.assert(
      fc.property(fc.array(sentence), (said) => {
        const json = JSON.stringify(said);
        assert.deepEqual(JSON.stringify(readSayingText(json)), json);
        assert.equal(typeof say(said), 'string');
      }),
    );
    assert.equal(say(readSayingText('Ana paused it: because')), 'Ana paused it: because');
  });
});
