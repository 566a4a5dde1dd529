import assert from 'node:assert/strict';
import { differences, type KnownDifference, nothing } from '../fixtures/dialect/differences.ts';
import { type AnswerDifference, type Replay, readExchanges, replay } from './dialectReplay.ts';
import { type HttpEngine, openHttpEngine } from './httpEngine.ts';
import { compare } from './placeholders.ts';

describe('Recorded exchanges with MLflow', function () {
  this.timeout(60_000);
  let engine: HttpEngine;
  beforeEach(async () => {
    engine = await openHttpEngine(null);
  });
  afterEach(() => engine.close());

  it('are answered alike, where the Python client asked', async () => {
    const exchanges = readExchanges('client.jsonl');
    assert.equal(exchanges.length, 201);
    assertKnown(await replay(engine.url, exchanges), differences['client.jsonl']);
  });

  it('are answered alike, where somebody asked what is at the edges', async () => {
    const exchanges = readExchanges('probes.jsonl');
    assert.equal(exchanges.length, 183);
    assertKnown(await replay(engine.url, exchanges), differences['probes.jsonl']);
  });

  it('have names of their own, and no listed difference names another', () => {
    for (const file of ['client.jsonl', 'probes.jsonl'] as const) {
      const names = readExchanges(file).map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
      for (const { exchange } of differences[file]) assert.ok(names.includes(exchange), exchange);
    }
  });
});

/** That all differences are listed, with what stands in their place, and that all that is listed differs. */
function assertKnown({ differences: found, bindings }: Replay, known: readonly KnownDifference[]): void {
  const places = known.flatMap(({ exchange, ours }) =>
    Object.entries(ours).map(([place, value]) => ({ exchange, place, value })),
  );
  const isAt = (one: AnswerDifference) => (other: { exchange: string; place: string }) =>
    one.exchange === other.exchange && one.place === other.place;
  const unknown = found.filter((difference) => {
    const place = places.find(isAt(difference));
    if (place === undefined) return true;
    if (place.value === nothing) return difference.actual !== undefined;
    return compare(difference.place, place.value, difference.actual, bindings).length > 0;
  });
  assert.deepEqual(unknown, [], 'differences that are not listed');
  const gone = places.filter((place) => !found.some((difference) => isAt(difference)(place)));
  assert.deepEqual(gone, [], 'listed differences that are none any more');
}
