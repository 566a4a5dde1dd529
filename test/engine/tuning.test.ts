import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../../src/protocol/servingSentences.ts';
import { quickTuning, runtimeChoice, tuningPlan } from '../../src/protocol/tuning.ts';
import { openServedStage, type RolloutStage } from './rolloutStage.ts';

describe('tuning an endpoint', function () {
  this.timeout(400_000);
  let stage: RolloutStage;
  before(async () => {
    stage = await openServedStage();
  });
  after(() => stage.close());

  it('measures every way beside it, says which comes next, and chooses one of them with reasons', async () => {
    const told: { readonly fraction: number; readonly message: string }[] = [];
    const { modelVersion, requestCount } = stage.engine().serving.endpoint('wine');
    const report = await stage.engine().tuning.measure('wine', tuningPlan.parse(quickTuning), {
      signal: new AbortController().signal,
      progress: (fraction, message) => told.push({ fraction, message }),
    });
    assert.deepEqual([report.model, report.version, report.rows], ['wine', modelVersion, 1]);
    assert.deepEqual([...new Set(report.measurements.map(({ batchRows }) => batchRows))], [1, 8, 64, 1024]);
    assert.ok(report.measurements.every(({ rate, p99 }) => rate > 0 && p99 > 0));
    assert.ok(
      report.measurements.some(
        ({ threads, processes, batchRows }) =>
          JSON.stringify({ threads, processes, batchRows }) === JSON.stringify(report.choice),
      ),
    );
    assert.ok(report.reasons.length >= 3);
    assert.deepEqual(runtimeChoice.parse(JSON.parse(told[0]?.message ?? '')), {
      threads: 1,
      processes: 1,
      batchRows: 1,
    });
    assert.equal(told.length, report.measurements.length + 1, 'each way once');
    assert.match(say(report.reasons.at(-1) ?? []), /^Each way was measured once/);
    assert.equal(told.at(-1)?.fraction, 1);
    // The endpoint itself was asked nothing.
    assert.equal(stage.engine().serving.endpoint('wine').requestCount, requestCount);
  });

  it('leaves no process behind when it is cancelled', async function () {
    if (process.platform === 'win32') this.skip();
    const before = scorers();
    const abort = new AbortController();
    const measuring = stage.engine().tuning.measure('wine', tuningPlan.parse({ seconds: 600 }), {
      signal: abort.signal,
      progress: () => undefined,
    });
    const ended = assert.rejects(measuring, { kind: 'cancelled' });
    while (scorers().length <= before.length) await new Promise((resolve) => setTimeout(resolve, 20));
    abort.abort();
    await ended;
    while (scorers().length > before.length) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(scorers(), before);
  });

  it('writes the choice down, and the endpoint runs so, with the version that it served', async () => {
    const choice = { threads: 1, processes: 2, batchRows: 64 };
    const shown = await stage.engine().tuning.settings('wine', choice);
    const file = await stage.engine().tuning.write('wine', choice);
    assert.equal(file, join(stage.workspace, 'slipway.yaml'));
    const text = readFileSync(file, 'utf8');
    assert.match(text, /^endpoints:\n {2}wine:\n {4}stable:\n {6}version: 1\n {4}runtime:\n {6}threads: 1\n/);
    assert.equal(text, shown);
    assert.match(
      await stage.engine().tuning.settings('wine', choice),
      /^endpoints:\n {2}wine:\n {4}runtime:\n/,
    );
    const isSo = () => scorers().length === 2;
    await stage.until(({ declared, state }) => declared && state === 'ready' && isSo());
    assert.equal(stage.engine().serving.endpoint('wine').modelVersion, 1);
    assert.equal((await stage.ask()).bias, 1);
  });

  it('refuses to write into a file that is not what it should be', async () => {
    const file = join(stage.workspace, 'slipway.yaml');
    writeFileSync(file, 'endpoints: none\n');
    const choice = { threads: 1, processes: 1, batchRows: 8 };
    await assert.rejects(stage.engine().tuning.write('wine', choice), { kind: 'settingsHoldNoEndpoints' });
    assert.equal(readFileSync(file, 'utf8'), 'endpoints: none\n');
    await assert.rejects(stage.engine().tuning.write('beer', choice), { kind: 'notFound' });
  });
});

/** Scorers anywhere below this process. */
function scorers(): readonly number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return pid ? [{ pid: Number(pid), parent: Number(parent), args: args ?? '' }] : [];
    });
  const isOurs = (pid: number): boolean => {
    const row = rows.find((one) => one.pid === pid);
    return row !== undefined && (row.parent === process.pid || isOurs(row.parent));
  };
  return rows.filter(({ pid, args }) => /scorer\/main\.ts/.test(args) && isOurs(pid)).map(({ pid }) => pid);
}
