import assert from 'node:assert/strict';
import { say } from '../../src/protocol/servingSentences.ts';
import { slowModel } from '../fixtures/onnxFile.ts';
import { openRolloutStage, type RolloutStage } from './rolloutStage.ts';
import { storeToken } from './servedStore.ts';

const fast = slowModel(2, 1);
const slow = slowModel(1024, 60);

describe('A process that ends during a rollout', function () {
  this.timeout(120_000);
  let stage: RolloutStage;
  beforeEach(async () => {
    stage = await openRolloutStage();
  });
  afterEach(() => stage.close());

  const serving = () => stage.engine().serving;
  const rollout = () => serving().live('wine', 0).rollouts[0];
  const reason = () => say(rollout()?.reason ?? []);
  const kinds = () =>
    serving()
      .events('wine', 100)
      .map(({ kind }) => kind)
      .toReversed();
  const crashes = () => kinds().filter((kind) => kind === 'crashed').length;
  const kill = () => {
    const started = stage.logged.findLast((line) => line.includes('(process '));
    process.kill(Number(/\(process (\d+)\)/.exec(started ?? '')?.[1]), 'SIGKILL');
  };
  const serve = async (first: Buffer, second: Buffer, run: string) => {
    stage.register(0, first);
    stage.register(0, second);
    stage.writeSettings(`endpoints:\n  wine: { stable: { version: 1 }, limits: { run: ${run} } }\n`);
    await stage.until(({ state }) => state === 'ready');
  };
  const bringIn = () =>
    serving().startRollout({
      endpoint: 'wine',
      modelVersion: 2,
      plan: { steps: [{ share: 50, hold: '1h' }], interval: '1h' },
      who: 'Ana',
    });
  /** Serves version 1, and brings version 2 in beside it. */
  const begin = async (first: Buffer, second: Buffer, run: string) => {
    await serve(first, second, run);
    await bringIn();
  };
  /** Asks one version by its number; one that takes too long costs the process. */
  const ask = async (version: number): Promise<void> => {
    const { url } = serving().endpoint('wine');
    await fetch(`${url}/v2/models/wine/versions/${version}/infer`, {
      method: 'POST',
      headers: { authorization: `Bearer ${storeToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [0] }] }),
    }).then(
      (response) => response.text(),
      () => undefined,
    );
  };

  it('while it ran the candidate ends the rollout, and is told to be the candidate’s', async () => {
    await begin(fast, slow, '50ms');
    await ask(2);
    await stage.until((endpoint) => endpoint.state === 'ready' && endpoint.rollout === null);
    assert.equal(rollout()?.state, 'rolledBack');
    assert.equal(reason(), 'A process of the endpoint was ended while it ran version 2.');
    assert.deepEqual(kinds().slice(3), ['crashed', 'rolledBack', 'checkFailed']);
    const told = serving()
      .events('wine', 10)
      .find(({ kind }) => kind === 'crashed');
    assert.match(say(told?.said ?? []), /a run of version 2 of "wine" took too long/);
  });

  it('while it ran the stable version is not held against the candidate', async () => {
    await begin(slow, fast, '50ms');
    await ask(1);
    await stage.until(({ state }) => state === 'ready' && crashes() === 1);
    assert.deepEqual([rollout()?.state, rollout()?.share], ['running', 0.5]);
  });

  it('and nobody knows why pauses it, and ends it when that comes again', async () => {
    await begin(fast, fast, '60s');
    kill();
    await stage.until(({ state }) => state === 'ready' && rollout()?.state === 'paused');
    assert.match(reason(), /nothing tells which version it was/);
    assert.equal(rollout()?.share, 0.5);
    const decision = { endpoint: 'wine', decision: 'resume' as const, who: 'Ana', why: '' };
    assert.equal((await serving().decideRollout(decision)).state, 'running');
    kill();
    await stage.until((endpoint) => endpoint.state === 'ready' && endpoint.rollout === null);
    assert.match(reason(), /ended unasked 2 times since version 2 gets requests, and not once before/);
  });

  it('as one did before the candidate came only pauses it', async () => {
    await serve(fast, fast, '60s');
    kill();
    await stage.until(({ state }) => state === 'ready' && crashes() === 1);
    await bringIn();
    for (const ended of [2, 3]) {
      kill();
      await stage.until(({ state }) => state === 'ready' && crashes() === ended);
      await stage.until(() => rollout()?.state === 'paused');
      await serving().decideRollout({ endpoint: 'wine', decision: 'resume', who: 'Ana', why: '' });
    }
    assert.equal(rollout()?.state, 'running');
  });
});
