import assert from 'node:assert/strict';
import { noTraffic } from '../../../src/engine/serving/rolloutObservation.ts';
import { rolloutSummary } from '../../../src/engine/serving/rolloutSummary.ts';
import { createSettingsFollower } from '../../../src/engine/serving/settingsFollower.ts';
import { endpointSettings } from '../../../src/protocol/endpointSettings.ts';
import { SlipwayError } from '../../../src/protocol/errors.ts';
import { rolloutOf } from './rolloutCases.ts';

describe('following the registry', () => {
  it('tries again what could not be begun, and does once what could', async () => {
    let isFull = true;
    const started: number[] = [];
    const known = new Map([['stable', 1]]);
    const warned: string[] = [];
    const settings = { endpoints: { wine: endpointSettings.parse({}) } };
    const follower = createSettingsFollower({
      settings: () => ({ settings, written: new Set(['wine']) }),
      choices: {
        lastVersion: (_endpoint, role) => known.get(role) ?? null,
        lastNamed: (_endpoint, role) => known.get(role) ?? null,
        save: (_endpoint, role, _choice, version) => void known.set(role, version),
        forget: () => known.clear(),
      },
      rollouts: {
        async start({ modelVersion, begun }) {
          if (isFull) throw new SlipwayError('diskFull', { path: '/store' });
          started.push(modelVersion);
          begun?.();
          return rolloutSummary(
            { ...rolloutOf({}), who: '', why: [], progress: null, traffic: noTraffic },
            null,
          );
        },
        giveUp: () => Promise.resolve(),
        current: () => null,
      },
      replaced: () => undefined,
      note: () => undefined,
      warn: (_endpoint, sentence) => void warned.push(sentence),
      endpoints: {
        find: (name) => ({ name, modelName: name, modelVersion: 1, enabled: true, port: null }),
        save: () => undefined,
        isRunning: () => true,
        wasAsked: () => true,
        run: () => Promise.resolve(),
        applySettings: () => Promise.resolve(),
        resolve: () => 2,
      },
    });
    await follower.follow();
    assert.deepEqual([started, warned.length], [[], 1]);
    isFull = false;
    await follower.follow();
    await follower.follow();
    assert.deepEqual(started, [2]);
  });
});
