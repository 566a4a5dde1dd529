import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { SlipwayError } from '../../src/protocol/errors.ts';
import type { KeyValue } from '../../src/protocol/tracking.ts';
import { openTrackingEngine, type TrackingEngine } from '../engine/trackingEngine.ts';
import { pythonWithPeers } from '../python.ts';
import { type AskedSearch, anySearch, type SearchKind } from './searchQueries.ts';

const script = join(import.meta.dirname, '../fixtures/python/search_answers.py');

type Pairs = readonly (readonly [string, string])[];
type Answer = { readonly found: readonly string[] } | { readonly error: string };

const nan = Number.NaN;
const infinity = Number.POSITIVE_INFINITY;
const run = (
  label: string,
  name: string,
  metrics: readonly (readonly [string, number])[],
  params: Pairs,
  tags: Pairs,
  datasets: readonly (readonly [string, string, string])[] = [],
  status = 'RUNNING',
) => ({ label, name, metrics, params, tags, datasets, status });

/** What both stores hold. The times of runs are far apart, and other times follow one another, so no order is left to chance. */
const runs = [
  run(
    'a',
    'first',
    [
      ['loss', 0.5],
      ['score', 1],
    ],
    [['rate', '1']],
    [['team', 'red']],
    [['wine', 'd1', 'train']],
  ),
  run(
    'b',
    'First',
    [
      ['loss', nan],
      ['score', -1],
    ],
    [['rate', '10']],
    [['team', 'Red']],
    [['iris', 'd2', '']],
    'FINISHED',
  ),
  run('c', 'R%', [['loss', infinity]], [['rate', "it's"]], [['odd key', 'red']], [], 'FAILED'),
  run(
    'd',
    "it's",
    [
      ['loss', -infinity],
      ['odd key', 3],
    ],
    [['odd key', 'x\\y']],
    [['team', 'é']],
  ),
  run(
    'e',
    'true',
    [['score', nan]],
    [
      ['rate', 'true'],
      ['team', '1'],
    ],
    [['rate', 'a "b"']],
    [
      ['wine', 'd1', ''],
      ['iris', 'd2', 'test'],
    ],
  ),
  run(
    'f',
    'x\\y',
    [
      ['loss', 3],
      ['score', 3],
    ],
    [['rate', 'R%']],
    [['team', 'WINE']],
    [['WINE', 'd3', 'train']],
    'FINISHED',
  ),
  run(
    'g',
    'é',
    [
      ['loss', 3],
      ['score', 0],
    ],
    [['rate', '1']],
    [],
    [],
    'KILLED',
  ),
  run(
    'h',
    'red',
    [
      ['loss', 100],
      ['odd key', -1],
    ],
    [['rate', 'red']],
    [
      ['team', 'red'],
      ['odd key', ''],
    ],
  ),
  run('i', 'first', [], [], []),
  run(
    'j',
    '10',
    [
      ['loss', 2000],
      ['score', -0.25],
    ],
    [['rate', 'tread']],
    [['team', 'fred']],
    [],
    'FINISHED',
  ),
].map((each, index) => ({
  ...each,
  start: 1000 + 1000 * index,
  end: each.status === 'RUNNING' ? null : 100_000 - 100 * index,
}));

const experiments: readonly { readonly name: string; readonly tags: Pairs }[] = [
  { name: 'first', tags: [['team', 'red']] },
  {
    name: 'Red',
    tags: [
      ['team', 'Red'],
      ['odd key', '1'],
    ],
  },
  { name: 'a "b"', tags: [['odd key', 'é']] },
  { name: "it's", tags: [] },
  { name: '10', tags: [['team', 'fred']] },
];

const loggedModels = [
  {
    label: 'first',
    type: 'tree',
    params: [['rate', '1']],
    tags: [['team', 'red']],
    metrics: [
      ['acc', 0.5, 1, 'wine', 'd1'],
      ['acc', 0.9, 2, 'iris', 'd2'],
    ],
  },
  {
    label: 'Red',
    type: 'Red',
    params: [
      ['rate', '10'],
      ['odd key', 'é'],
    ],
    tags: [['team', 'Red']],
    metrics: [['acc', -1, 1, '', '']],
  },
  {
    label: 'true',
    type: 'forest',
    params: [],
    tags: [['odd key', '1']],
    metrics: [
      ['acc', 0.7, 5, 'wine', 'd1'],
      ['acc', 0.1, 3, 'wine', 'd1'],
    ],
  },
  { label: 'WINE', type: '', params: [['rate', 'true']], tags: [], metrics: [] },
] as const;

const registered = [
  {
    name: 'first',
    tags: [['team', 'red']],
    versions: [
      { source: 's3://b/first', tags: [['team', 'red']] },
      { source: 's3://b/1', tags: [] },
    ],
  },
  {
    name: 'Red',
    tags: [
      ['team', 'Red'],
      ['odd key', ''],
    ],
    versions: [{ source: 's3://b/true', tags: [['odd key', '1']] }],
  },
  { name: 'red', tags: [], versions: [{ source: 's3://b/red', tags: [['team', 'fred']] }] },
  {
    name: 'asked',
    tags: [
      ['mlflow.prompt.is_prompt', 'true'],
      ['team', 'red'],
    ],
    versions: [],
  },
  { name: 'true', tags: [['mlflow.prompt.is_prompt', 'false']], versions: [] },
] as const;

/** What Slipway takes and MLflow refuses, by accident of how it reads: each with the reason why we keep it. */
const kindnesses: readonly (readonly [SearchKind, string, string])[] = [
  ['runs', "params.a-b = 'x'", 'a key may hold these characters, and it is plain where it ends'],
  ['runs', 'metrics.val/acc@5 > 0', 'as above'],
  ['runs', '   ', 'a blank filter asks for nothing'],
  ['runs', 'tags.team IS  NOT  NULL', 'blanks between words are blanks'],
  ['experiments', "name like 'first'", 'keywords have no case'],
  ['experiments', "attributes.name = 'first'", 'attributes have the same names in each search'],
  ['loggedModels', "metric.acc > 0 AND param.rate = '1'", 'entities have the same names in each search'],
  ['loggedModels', 'tags.team IS NULL', 'tags are tags in each search'],
  ['registered', "attributes.name = 'first'", 'attributes have the same names in each search'],
  ['registered', "`name` = 'first'", 'a key may be quoted in each search'],
  ['registered', 'tags.team IS NULL', 'tags are tags in each search'],
];

/** What both take, odd as it is. */
const oddities: readonly (readonly [SearchKind, string])[] = [
  ['runs', "params.rate = '1' metrics.loss >= 0.5"],
  ['runs', "AND params.rate = '1' AND AND metrics.loss >= 0.5 AND"],
  ['runs', 'AND'],
  ['runs', "`params`.rate = '1' and attr.status != 'x'"],
  ['runs', 'run_id NOT IN (\'x\', "y",)'],
  ['loggedModels', 'AND'],
  ['registered', "name = 'first' tags.team = 'red'"],
];

describe("Searches, beside MLflow's own store", () => {
  let engine: TrackingEngine;
  let folder: string;
  let ours: (asked: AskedSearch) => Answer;
  let theirs: (searches: readonly AskedSearch[]) => Promise<readonly Answer[]>;

  before(async function () {
    const python = pythonWithPeers(this);
    this.timeout(120_000);
    folder = mkdtempSync(join(tmpdir(), 'slipway-searches-'));
    engine = await openTrackingEngine();
    ours = await fillEngine(engine);
    let rounds = 0;
    theirs = async (searches) => {
      rounds += 1;
      const round = mkdtempSync(join(folder, `${rounds}-`));
      const [input, output] = [join(round, 'in.json'), join(round, 'out.json')];
      const metrics = (pairs: readonly (readonly [string, number])[]) =>
        pairs.map(([key, value]) => [key, String(value).replace('Infinity', 'inf')]);
      const given = {
        experiments,
        loggedModels,
        registered,
        searches,
        runs: runs.map((each) => ({ ...each, metrics: metrics(each.metrics) })),
      };
      writeFileSync(input, JSON.stringify(given));
      const child = spawn(python, [script, input, output, round], { stdio: ['ignore', 'ignore', 'pipe'] });
      const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
      assert.equal(code, 0, errors.slice(-3000));
      return JSON.parse(readFileSync(output, 'utf8'));
    };
  });
  after(async () => {
    await engine?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  it('take and refuse the same, and find the same in the same order', async function () {
    this.timeout(240_000);
    const seed = Number(process.env.SLIPWAY_TEST_SEED ?? 20_261_121);
    const searches = fc.sample(anySearch, { numRuns: 1500, seed });
    const answers = await theirs(searches);
    const differences = searches.flatMap((asked, index) => {
      const theirAnswer = answers[index];
      const ourAnswer = ours(asked);
      const same =
        theirAnswer && 'found' in theirAnswer
          ? 'found' in ourAnswer && JSON.stringify(ourAnswer.found) === JSON.stringify(theirAnswer.found)
          : 'error' in ourAnswer;
      return same ? [] : [JSON.stringify({ asked, theirAnswer, ourAnswer })];
    });
    assert.deepEqual(differences.slice(0, 12), [], `${differences.length} differ`);
    const taken = answers.filter((answer) => 'found' in answer);
    assert.ok(taken.length > 500 && taken.length < 1400, `${taken.length} were taken`);
    assert.ok(taken.filter((answer) => 'found' in answer && answer.found.length > 0).length > 200);
  });

  it('differ only where Slipway takes what MLflow refuses by accident', async function () {
    this.timeout(60_000);
    const searches = kindnesses.map(([kind, filter]) => ({ kind, filter, order: [], datasets: [] }));
    const answers = await theirs(searches);
    const odd = oddities.map(([kind, filter]) => ({ kind, filter, order: [], datasets: [] }));
    assert.deepEqual(odd.map(ours), await theirs(odd));
    for (const [index, asked] of searches.entries()) {
      assert.ok('error' in (answers[index] ?? {}), `MLflow takes ${asked.filter}`);
      assert.ok('found' in ours(asked), `Slipway refuses ${asked.filter}`);
    }
  });
});

/** Logs the same to our engine; gives what answers a search over it with labels. */
async function fillEngine({ tracking, registry }: TrackingEngine): Promise<(asked: AskedSearch) => Answer> {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 2));
  const pairs = (list: Pairs): readonly KeyValue[] => list.map(([key, value]) => ({ key, value }));
  const labels = new Map<string, string>();
  const labelOf = (id: string) => labels.get(id) ?? id;

  const experimentIds: string[] = [];
  for (const { name, tags } of experiments) {
    experimentIds.push(tracking.createExperiment({ name, tags: pairs(tags) }));
    await pause();
  }
  const [home = ''] = experimentIds;
  for (const { label, name, start, end, status, metrics, params, tags, datasets } of runs) {
    const { info } = tracking.createRun({
      experimentId: home,
      userId: 'ana',
      name,
      startTime: start,
      tags: pairs(tags),
    });
    labels.set(info.runId, label);
    tracking.logBatch(info.runId, {
      metrics: metrics.map(([key, value]) => ({ key, value, timestamp: 1, step: 0 })),
      parameters: pairs(params),
      tags: [],
    });
    for (const [dataset, digest, context] of datasets) {
      const contextTags = context === '' ? [] : [{ key: 'mlflow.data.context', value: context }];
      const source = { sourceType: 'local', source: 'x', schema: null, profile: null };
      tracking.logInputs(
        info.runId,
        [{ dataset: { name: dataset, digest, ...source }, tags: contextTags }],
        [],
      );
    }
    if (end !== null && (status === 'FINISHED' || status === 'FAILED' || status === 'KILLED'))
      tracking.updateRun(info.runId, { status, endTime: end });
  }
  for (const { label, type, params, tags, metrics } of loggedModels) {
    const { model } = tracking.createLoggedModel({
      experimentId: home,
      name: label,
      modelType: type,
      tags: pairs(tags),
      parameters: pairs(params),
    });
    labels.set(model.modelId, label);
    const { info } = tracking.createRun({
      experimentId: '0',
      userId: 'ana',
      name: 'made it',
      startTime: 1,
      tags: [],
    });
    for (const [key, value, step, datasetName, datasetDigest] of metrics) {
      const point = { key, value, step, timestamp: step, modelId: model.modelId, datasetName, datasetDigest };
      tracking.logBatch(info.runId, { metrics: [point], parameters: [], tags: [] });
    }
    await pause();
  }
  for (const { name, tags, versions } of registered) {
    registry.createModel(name, '', pairs(tags));
    await pause();
    for (const version of versions) {
      const nothing = { runId: null, modelId: null, runLink: '', description: '' };
      registry.createVersion({ name, source: version.source, tags: pairs(version.tags), ...nothing });
      await pause();
    }
  }

  const page = { maxResults: 1000, pageToken: '' };
  const search = ({ kind, filter, order, datasets }: AskedSearch): readonly string[] => {
    const asked = { filter, orderBy: order.map(String), ...page };
    const among = { viewType: 'ACTIVE_ONLY', experimentIds: [home] } as const;
    switch (kind) {
      case 'runs':
        return tracking.searchRuns({ ...asked, ...among }).items.map(({ info }) => labelOf(info.runId));
      case 'experiments':
        return tracking
          .searchExperiments({ ...asked, viewType: 'ACTIVE_ONLY' })
          .items.filter(({ experimentId }) => experimentId !== '0')
          .map(({ name }) => name);
      case 'loggedModels': {
        const orderBy = order.flatMap((entry) => {
          if (typeof entry === 'string') return [];
          const [field, ascending] = entry;
          return [{ field, ascending, datasetName: null, datasetDigest: null }];
        });
        const restrictions = datasets.map((name) => ({ name, digest: null }));
        return tracking
          .searchLoggedModels({ ...asked, orderBy, datasets: restrictions, experimentIds: [home] })
          .items.map(({ model }) => labelOf(model.modelId));
      }
      case 'registered':
        return registry.searchModels(asked).items.map(({ name }) => name);
      case 'versions':
        return registry.searchVersions(asked).items.map(({ name, version }) => `${name}/${version}`);
    }
  };
  return (asked) => {
    try {
      return { found: search(asked) };
    } catch (error) {
      if (error instanceof SlipwayError && error.category === 'invalid') return { error: error.message };
      throw error;
    }
  };
}
