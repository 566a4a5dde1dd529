import assert from 'node:assert/strict';
import type { EndpointSummary, VariantSummary } from '../../src/protocol/serving.ts';
import { shownVariants, variantRole } from '../../src/protocol/variantRole.ts';

const l10n = { t: (message: string) => message };

describe('The role of a variant', () => {
  const role = (
    name: string,
    version: number,
    share: number | null,
    endpoint: { readonly modelVersion: number; readonly candidate?: number },
    model = 'wine',
  ) => {
    // Only the candidate's version counts.
    const rollout =
      endpoint.candidate === undefined
        ? null
        : ({ candidateVersion: endpoint.candidate } as EndpointSummary['rollout']);
    return variantRole(
      { name, model, version, share },
      { modelName: 'wine', modelVersion: endpoint.modelVersion, rollout },
      l10n,
    );
  };

  it('is told of what answers now', () => {
    assert.equal(role('stable', 2, 0.95, { modelVersion: 2, candidate: 3 }), 'stable');
    assert.equal(role('candidate', 3, 0.05, { modelVersion: 2, candidate: 3 }), 'candidate');
    assert.equal(role('candidate', 3, 0, { modelVersion: 2, candidate: 3 }), 'candidate');
    assert.equal(role('stable', 2, 0, { modelVersion: 2 }), 'stable', 'of a stopped endpoint');
    assert.equal(role('version', 1, null, { modelVersion: 2 }), 'asked for by number');
    assert.equal(role('stable', 1, 0, { modelVersion: 2 }, 'beer'), 'stable', 'of a further model');
  });

  it('ends with a promotion or a roll-back', () => {
    assert.equal(role('stable', 2, 0, { modelVersion: 3 }), 'no longer asked');
    assert.equal(role('candidate', 3, 0, { modelVersion: 3 }), 'no longer asked');
    assert.equal(role('shadow', 3, 0, { modelVersion: 2 }), 'no longer asked');
  });
});

describe('The variants that are shown', () => {
  const variant = (
    name: string,
    version: number,
    share: number | null,
    more: Partial<VariantSummary> = {},
  ) => ({
    name,
    model: 'wine',
    version,
    share,
    requestCount: 10,
    errorCount: 1,
    rate: 0,
    latencyP50: null,
    latencyP99: null,
    ...more,
  });
  const shown = (variants: readonly VariantSummary[], candidate: number | null) =>
    shownVariants({
      modelName: 'wine',
      modelVersion: 1,
      rollout: candidate === null ? null : ({ candidateVersion: candidate } as EndpointSummary['rollout']),
      variants,
    }).map(({ name, model, version, share, requestCount, errorCount }) => [
      `${model} ${version} ${name}`,
      share,
      requestCount,
      errorCount,
    ]);

  it('are each version once, by what it is now', () => {
    const back = [variant('stable', 2, 0), variant('stable', 1, 0.95), variant('candidate', 2, 0.05)];
    assert.deepEqual(shown(back, 2), [
      ['wine 1 stable', 0.95, 10, 1],
      ['wine 2 candidate', 0.05, 20, 2],
    ]);
    const ended = [variant('stable', 1, 1), variant('candidate', 2, 0), variant('stable', 2, 0)];
    assert.deepEqual(shown(ended, null), [
      ['wine 1 stable', 1, 10, 1],
      ['wine 2 candidate', 0, 20, 2],
    ]);
    assert.deepEqual(shown([variant('version', 1, null), variant('stable', 1, 1)], null), [
      ['wine 1 stable', 1, 20, 2],
    ]);
  });

  it('do not count what a shadow heard as answered, and keep the models apart', () => {
    assert.deepEqual(shown([variant('shadow', 2, 0), variant('candidate', 2, 0.05)], 2), [
      ['wine 2 candidate', 0.05, 10, 1],
    ]);
    assert.equal(
      shown([variant('stable', 1, 1), variant('stable', 1, 1, { model: 'beer' })], null).length,
      2,
    );
  });
});
