import assert from 'node:assert/strict';
import BetterSqlite3 from 'better-sqlite3';
import { storeLayout } from '../../src/engine/layout.ts';
import { rolloutPlan } from '../../src/protocol/endpointSettings.ts';
import { say } from '../../src/protocol/servingSentences.ts';
import { openServedStage } from './rolloutStage.ts';

/** As it was kept before sayings: in English, and with one number for all crashes. */
const progress = (state: string, reason: string | null) =>
  JSON.stringify({
    state,
    reason,
    waitsFor: state === 'paused' ? 'person' : null,
    step: 0,
    stepSince: 1,
    share: state === 'paused' ? 0.5 : 1,
    shadowShare: 0,
    endedAt: state === 'paused' ? null : 2,
    checks: [
      {
        failures: 0,
        inconclusives: 0,
        looks: 1,
        smallestPValue: 1,
        outcome: {
          metric: 'errorRate',
          verdict: 'passed',
          candidateValue: 0,
          stableValue: 0,
          candidateSamples: 60,
          stableSamples: 70,
          minimumSamples: 50,
          pValue: 1,
          failures: 0,
          dryRun: false,
          sentence: 'The error rate of version 2 is 0 % (60).',
        },
      },
    ],
    goal: null,
  });
const arm = { requests: 60, failures: 0, latencies: [] };
const traffic = JSON.stringify({ candidate: arm, stable: arm, comparedRows: 0, equalRows: 0, crashes: 1 });
const plan = JSON.stringify(
  rolloutPlan.parse({ steps: [{ share: 50, hold: '1h' }], checks: [{ metric: 'errorRate' }] }),
);

describe('Rollouts of an older store', function () {
  this.timeout(120_000);

  it('are shown as they were kept, and go on', async () => {
    const stage = await openServedStage();
    try {
      const store = new BetterSqlite3(storeLayout(stage.workspace).database);
      const insert = store.prepare(
        `INSERT INTO rollouts (endpoint, model_name, stable_version, candidate_version, who, why, plan, traffic, started_at, state, progress)
         VALUES ('wine', 'wine', 1, 2, 'Ana', 'it is [better]', ?, ?, 1, ?, ?)`,
      );
      insert.run(plan, traffic, 'rolledBack', progress('rolledBack', 'Ana rolled it back: because'));
      insert.run(plan, traffic, 'paused', progress('paused', 'Ana paused it.'));
      store.exec(
        "INSERT INTO endpoint_events (endpoint, happened_at, who, kind, sentence) VALUES ('wine', 1, 'Ana', 'paused', '[1] paused')",
      );
      store.close();
      await stage.reopen();
      const { rollout } = await stage.until(
        ({ state, variants }) => state === 'ready' && variants.some(({ name }) => name === 'candidate'),
      );
      assert.deepEqual([rollout?.state, say(rollout?.reason ?? [])], ['paused', 'Ana paused it.']);
      const { rollouts, events } = stage.engine().serving.live('wine', 0);
      assert.equal(say(rollouts[1]?.reason ?? []), 'Ana rolled it back: because');
      assert.equal(say(rollouts[1]?.checks[0]?.said ?? []), 'The error rate of version 2 is 0 % (60).');
      assert.ok(events.some(({ said }) => say(said) === '[1] paused'));
      const decision = { endpoint: 'wine', decision: 'promote' as const, who: 'Ana', why: '' };
      assert.equal((await stage.engine().serving.decideRollout(decision)).state, 'promoted');
      assert.equal((await stage.ask()).bias, 2);
    } finally {
      await stage.close();
    }
  });
});
