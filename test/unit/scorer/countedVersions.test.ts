import assert from 'node:assert/strict';
import fc from 'fast-check';
import { scorerReading } from '../../../src/protocol/scorerReading.ts';
import { combineVersions } from '../../../src/scorer/countedVersions.ts';
import { createInferenceCounters, type InferenceCounters } from '../../../src/scorer/inferenceCounters.ts';
import type { LoadedVersion } from '../../../src/scorer/modelRepository.ts';

const processes = 3;

/** A request that one of the processes answered alone, or refused. */
const work = fc.record({
  process: fc.nat(processes - 1),
  name: fc.constantFrom('wine', 'beer', '__proto__'),
  version: fc.integer({ min: 1, max: 12 }),
  rows: fc.integer({ min: 1, max: 300 }),
  succeeded: fc.boolean(),
  queueMicroseconds: fc.nat(1e6),
  runMicroseconds: fc.nat(1e6),
});
type Work = typeof work extends fc.Arbitrary<infer Value> ? Value : never;

describe('what several processes count of versions', () => {
  it('is what one process would count that did all of their work', () => {
    fc.assert(
      fc.property(fc.array(work, { maxLength: 60 }), (done) => {
        const all = createInferenceCounters();
        const each = Array.from({ length: processes }, createInferenceCounters);
        done.forEach((one, index) => {
          for (const counters of [all, each[one.process] ?? all]) answer(counters, one, index);
        });
        // A process knows of those that it was asked for, as if only it had loaded them.
        const readings = each.map((counters, process) =>
          versionsOf(done.filter((one) => one.process === process)).map((version) => ({
            ...version,
            ...counters.of(version),
          })),
        );
        assert.deepEqual(
          combineVersions(readings),
          versionsOf(done).map((version) => ({ ...version, ...all.of(version) })),
        );
      }),
    );
  });

  it('stays as it is on its way between processes', () => {
    fc.assert(
      fc.property(fc.array(work, { maxLength: 20 }), (done) => {
        const counters = createInferenceCounters();
        done.forEach((one, index) => {
          answer(counters, one, index);
        });
        const versions = versionsOf(done).map((version) => ({ ...version, ...counters.of(version) }));
        const reading = { families: counters.requests.families(), versions };
        assert.deepEqual(scorerReading.parse(JSON.parse(JSON.stringify(reading))), reading);
      }),
    );
  });
});

function answer(counters: InferenceCounters, one: Work, receivedAt: number): void {
  const { name, version, succeeded, queueMicroseconds, runMicroseconds } = one;
  counters.executed({ name, version }, { ...one, requests: 1 });
  counters.requests.answered({
    receivedAt,
    latencyMicroseconds: queueMicroseconds + runMicroseconds,
    status: succeeded ? 200 : 500,
    requestId: '',
    chosen: { loaded: loaded(name, version), variant: 'version' },
    prediction: null,
  });
}

/** By name, then by number. */
function versionsOf(done: readonly Work[]): readonly { readonly name: string; readonly version: number }[] {
  return [...new Set(done.map(({ name }) => name))]
    .sort()
    .flatMap((name) =>
      [...new Set(done.filter((one) => one.name === name).map(({ version }) => version))]
        .sort((left, right) => left - right)
        .map((version) => ({ name, version })),
    );
}

function loaded(name: string, version: number): LoadedVersion {
  return {
    name,
    version,
    labels: [],
    runtime: 'onnx',
    digest: null,
    facts: [],
    pending: () => 0,
    predictor: {
      inputs: [],
      outputs: [],
      layout: null,
      hasColumnSignature: false,
      exampleRequest: '',
      warnings: [],
      predict: async () => [],
    },
  };
}
