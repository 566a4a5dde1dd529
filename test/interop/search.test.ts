import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { openTrackingEngine, type TrackingEngine } from '../engine/trackingEngine.ts';
import { pythonWithPeers } from '../python.ts';
import { experiments, loggedModels, registered, runs } from './searchedData.ts';
import { type Answer, fillEngine } from './searchedEngine.ts';
import { type AskedSearch, anySearch, type SearchKind } from './searchQueries.ts';
import { runProgram } from './terminalProgram.ts';

const script = join(import.meta.dirname, '../fixtures/python/search_answers.py');

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
  const plain = ([kind, filter]: readonly [SearchKind, string, ...unknown[]]) =>
    ({ kind, filter, order: [], datasets: [] }) as const;
  const kind = kindnesses.map(plain);
  const odd = oddities.map(plain);
  let some: readonly AskedSearch[];
  let engine: TrackingEngine;
  let ours: (asked: AskedSearch) => Answer;
  let theirs: readonly Answer[];
  /** What MLflow answers to those of all searches that begin at an index. */
  const theirsFrom = (start: number, { length }: readonly AskedSearch[]) =>
    theirs.slice(start, start + length);

  before(async function () {
    const python = pythonWithPeers(this);
    this.timeout(240_000);
    engine = await openTrackingEngine();
    ours = await fillEngine(engine);
    const seed = Number(process.env.SLIPWAY_TEST_SEED ?? 20_261_121);
    some = fc.sample(anySearch, { numRuns: 1500, seed });
    // All at once, as it takes long to start MLflow and to fill its store.
    theirs = await askMlflow(python, [...some, ...kind, ...odd]);
    assert.equal(theirs.length, some.length + kind.length + odd.length);
  });
  after(() => engine?.close());

  it('take and refuse the same, and find the same in the same order', function () {
    this.timeout(240_000);
    const answers = theirsFrom(0, some);
    const differences = some.flatMap((asked, index) => {
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

  it('differ only where Slipway takes what MLflow refuses by accident', () => {
    const answers = theirsFrom(some.length, kind);
    assert.deepEqual(odd.map(ours), theirsFrom(some.length + kind.length, odd));
    for (const [index, asked] of kind.entries()) {
      assert.ok('error' in (answers[index] ?? {}), `MLflow takes ${asked.filter}`);
      assert.ok('found' in ours(asked), `Slipway refuses ${asked.filter}`);
    }
  });
});

/** What a store of MLflow with the same content answers. */
async function askMlflow(python: string, searches: readonly AskedSearch[]): Promise<readonly Answer[]> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-searches-'));
  try {
    const [input, output] = [join(folder, 'in.json'), join(folder, 'out.json')];
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
    const { code, errors } = await runProgram(python, [script, input, output, folder], {
      cwd: folder,
      env: process.env,
    });
    assert.equal(code, 0, errors.slice(-3000));
    return JSON.parse(readFileSync(output, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
