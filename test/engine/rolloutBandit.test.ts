import assert from 'node:assert/strict';
import { say } from '../../src/protocol/servingSentences.ts';
import { openServedStage, type RolloutStage } from './rolloutStage.ts';
import { storeToken } from './servedStore.ts';

describe('A bandit', function () {
  this.timeout(120_000);
  let stage: RolloutStage;
  beforeEach(async () => {
    stage = await openServedStage();
  });
  afterEach(() => stage.close());

  const serving = () => stage.engine().serving;
  const shareOf = (name: string) =>
    serving()
      .endpoint('wine')
      .variants.find((variant) => variant.name === name)?.share ?? 0;
  /** Asks so many times and tells how each answer was rewarded; gives the part that the candidate answered. */
  const askAndReward = async (count: number, better: number): Promise<number> => {
    const answers = [];
    while (answers.length < count) {
      answers.push(...(await Promise.all(Array.from({ length: 8 }, () => stage.ask()))));
    }
    assert.ok(answers.every(({ status }) => status === 200));
    const response = await fetch(`${serving().endpoint('wine').url}/v2/feedback`, {
      method: 'POST',
      headers: { authorization: `Bearer ${storeToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(
        answers.map(({ requestId, bias }, index) => ({
          request_id: requestId,
          reward: index % 10 < (bias === better ? 8 : 2) ? 1 : 0,
        })),
      ),
    });
    assert.equal(response.status, 202);
    return answers.filter(({ bias }) => bias === 2).length / answers.length;
  };

  for (const [name, better, isThere] of [
    ['to a candidate that is rewarded better', 2, (share: number) => share > 0.9],
    ['away from one that is rewarded worse', 1, (share: number) => share < 0.1],
  ] as const) {
    it(`moves the requests ${name}, and decides nothing`, async () => {
      await serving().startRollout({
        endpoint: 'wine',
        modelVersion: 2,
        plan: { strategy: 'bandit', share: 50, interval: '50ms', checks: [] },
        who: 'Ana',
      });
      const first = await askAndReward(200, better);
      assert.ok(first > 0.3 && first < 0.7, `${first} at an even split`);
      await stage.until(() => isThere(shareOf('candidate')));
      assert.ok(shareOf('stable') >= 0.01 && shareOf('candidate') >= 0.01, 'each keeps its part');
      const then = await askAndReward(200, better);
      assert.ok(better === 2 ? then > 0.75 : then < 0.25, `${then} after the split moved`);
      const { rollout, modelVersion } = serving().endpoint('wine');
      assert.deepEqual([rollout?.state, modelVersion], ['running', 1]);
      const noted = serving()
        .events('wine', 100)
        .filter(({ kind }) => kind === 'shareChanged');
      assert.match(say(noted[0]?.said ?? []), /^Version 2 gets \d+(\.\d+)? % of the requests: so likely/);
    });
  }
});
