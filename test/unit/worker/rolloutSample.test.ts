import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { takeRolloutSample } from '../../../src/worker/rolloutSample.ts';
import { type Columns, writeInferenceLogFile } from '../../inferenceLogFile.ts';
import { seededRandom } from '../statistics/sequences.ts';

interface Logged {
  readonly id: string;
  readonly version: number;
  readonly variant: string;
  readonly outputs: Columns | null;
  readonly at?: number;
  readonly model?: string;
}

describe('sample of a rollout', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-sample-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (
    requests: readonly Logged[],
    feedback: readonly { readonly id: string; readonly truth?: unknown; readonly reward?: number }[] = [],
  ) => {
    writeInferenceLogFile(
      join(folder, 'wine.db'),
      requests.map(({ at = 1500, ...request }) => ({
        ...request,
        receivedAt: at,
        inputs: request.outputs && { x: Object.values(request.outputs)[0] ?? [] },
      })),
      feedback.map(({ id, truth, reward = null }) => ({
        id,
        receivedAt: 2000,
        truth: truth === undefined ? null : JSON.stringify(truth),
        reward,
      })),
    );
  };
  const take = (shadow = false) =>
    takeRolloutSample({
      type: 'rolloutSample',
      inferenceLog: join(folder, 'wine.db'),
      model: 'wine',
      stableVersion: 3,
      candidateVersion: 4,
      shadow,
      from: 1000,
    });
  const both = (count: number, outputs: (version: number, index: number) => Columns): Logged[] =>
    [3, 4].flatMap((version) =>
      Array.from({ length: count }, (_, index) => ({
        id: `${version}-${index}`,
        version,
        variant: version === 3 ? 'stable' : 'candidate',
        outputs: outputs(version, index),
      })),
    );

  it('is empty without a log, and without requests', async () => {
    const nothing = await take();
    assert.deepEqual([nothing.drift, nothing.quality, nothing.rewards.candidate.count], [null, null, 0]);
    write([]);
    assert.deepEqual(await take(), nothing);
  });

  it('names the output whose distribution differs most: labels, numbers, or one element of several', async () => {
    const random = seededRandom(1);
    write(
      both(500, (version) => ({
        label: [random() < 0.5 ? 'red' : 'white'],
        score: [random()],
        probabilities: [[random() * (version === 4 ? 0.3 : 1), random()]],
      })),
    );
    const { drift } = await take();
    assert.equal(drift?.output, 'probabilities[0]');
    assert.ok((drift?.psi ?? 0) > 1 && (drift?.pValue ?? 1) < 1e-6);
    assert.deepEqual([drift?.candidateRows, drift?.stableRows], [500, 500]);
  });

  it('finds no drift where there is none, and drift of labels', async () => {
    write(both(1000, (version, index) => ({ label: [index % (version === 4 ? 10 : 2) === 0 ? 1 : 0] })));
    const { drift } = await take();
    assert.ok((drift?.psi ?? 0) > 0.5, 'half of them, and a tenth');
    rmSync(join(folder, 'wine.db'));
    const random = seededRandom(2);
    write(both(1000, () => ({ label: [random() < 0.3 ? 'a' : 'b'] })));
    assert.ok(((await take()).drift?.psi ?? 1) < 0.02);
  });

  it('counts right answers by the labels that came later; the last label counts', async () => {
    write(
      both(10, (version, index) => ({
        label: [index < (version === 4 ? 8 : 5) ? 'red' : 'white', 'red'],
        other: [
          [1, 2],
          [3, 4],
        ],
      })),
      [3, 4].flatMap((version) =>
        Array.from({ length: 10 }, (_, index) => ({
          id: `${version}-${index}`,
          truth: ['white', 'white'],
        })).concat(
          Array.from({ length: 10 }, (_, index) => ({ id: `${version}-${index}`, truth: ['red', 'red'] })),
        ),
      ),
    );
    const { quality } = await take();
    assert.equal(quality?.measure, 'accuracy');
    assert.deepEqual([quality?.candidate.count, quality?.candidate.sum], [20, 18]);
    assert.deepEqual([quality?.stable.count, quality?.stable.sum], [20, 15]);
  });

  it('measures how far numbers were off', async () => {
    write(
      both(4, (version, index) => ({ y: [[index + (version === 4 ? 0.5 : 2)]] })),
      [3, 4].flatMap((version) => [0, 1, 2].map((index) => ({ id: `${version}-${index}`, truth: [index] }))),
    );
    const { quality } = await take();
    assert.equal(quality?.measure, 'absoluteError');
    assert.deepEqual([quality?.candidate.count, quality?.candidate.sum], [3, 1.5]);
    assert.deepEqual([quality?.stable.count, quality?.stable.sum], [3, 6]);
  });

  it('gives rewards to the version that answered, and labels to its shadow, too', async () => {
    const answered: Logged = { id: 'a', version: 3, variant: 'stable', outputs: { y: [1] } };
    write(
      [answered, { ...answered, version: 4, variant: 'shadow', outputs: { y: [2] } }],
      [
        { id: 'a', truth: [2], reward: 1 },
        { id: 'a', reward: 5 },
        { id: 'nobody', reward: 9 },
      ],
    );
    const { rewards, quality } = await take(true);
    assert.deepEqual([rewards.stable.sum, rewards.candidate.count], [5, 0]);
    assert.deepEqual([quality?.candidate.sum, quality?.stable.sum], [1, 0]);
    assert.equal((await take()).quality?.candidate.count, 0, 'a shadow is no candidate');
  });

  it('leaves out what is older, refused, of another model, or asked for by its number', async () => {
    const counted: Logged = { id: 'a', version: 4, variant: 'candidate', outputs: { y: [1] } };
    write(
      [
        counted,
        { ...counted, id: 'b', at: 999 },
        { ...counted, id: 'c', outputs: null },
        { ...counted, id: 'd', model: 'beer' },
        { ...counted, id: 'e', variant: 'version' },
      ],
      ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, reward: 1 })),
    );
    assert.equal((await take()).rewards.candidate.count, 1);
  });

  it('says so when the log is none', async () => {
    write([]);
    const log = new BetterSqlite3(join(folder, 'wine.db'));
    log.exec('DROP TABLE blocks');
    log.close();
    await assert.rejects(take(), { kind: 'dataUnreadable' });
  });
});
