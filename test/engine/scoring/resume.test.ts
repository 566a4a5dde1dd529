import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createWorkerProcesses } from '../../../src/engine/workerProcess.ts';
import { detail } from '../../../src/protocol/errorDetails.ts';
import { partialFolder, readScoreProgress, type ScoreProgress } from '../../../src/protocol/scoring.ts';
import type { WorkerMessage } from '../../../src/protocol/worker.ts';
import { scoreFile } from '../../../src/worker/score/score.ts';
import { errorOfKind } from '../../errorOfKind.ts';
import { linearModel } from '../../fixtures/onnxFile.ts';
import { watchProcess } from '../leftProcesses.ts';
import { query } from './dataQuery.ts';
import { onScoringStage, type ScoreJob, type ScoringStage } from './scoringStage.ts';

const workerScript = join(import.meta.dirname, '../../../src/worker/main.ts');
/** So many that a fast machine is still at them when it is told to end. */
const rows = 400_000;

/** A table whose predictions are all different, so that a row that is lost, doubled or moved shows. */
function manyRows(): string {
  const lines = Array.from({ length: rows }, (_, row) => `r${row},${row},0.25,0`);
  return `id,a,b,c\n${lines.join('\n')}\n`;
}

/** Runs a job in a process of its own and kills it, as `kill -9` does, when `stop` says so. Whether it was killed. */
async function killWhen(job: ScoreJob, stop: (progress: ScoreProgress) => boolean): Promise<boolean> {
  const worker = watchProcess(fork(workerScript, { serialization: 'advanced', execArgv: [] }));
  let killed = false;
  worker.on('message', (message: WorkerMessage) => {
    if (message.type === 'failed') throw new Error(JSON.stringify(message.error));
    if (message.type === 'done') worker.disconnect();
    const told = message.type === 'progress' ? readScoreProgress(message.message) : null;
    if (killed || !told || !stop(told)) return;
    killed = true;
    worker.kill('SIGKILL');
  });
  worker.send(job);
  await once(worker, 'exit');
  return killed;
}

/** Scores to the end of some part and leaves it there. */
async function begin(stage: ScoringStage, more: Partial<ScoreJob> = {}): Promise<void> {
  stage.put('in.csv', manyRows());
  const job = stage.job('in.csv', 'out.csv', { keepMilliseconds: 25, ...more });
  assert.ok(await killWhen(job, (told) => told.phase === 'scoring' && told.rows > rows / 4));
  assert.ok(existsSync(partialFolder(stage.path('out.csv'))));
  assert.ok(!existsSync(stage.path('out.csv')));
}

/** Rows of the parts that are complete. */
function rowsKept(stage: ScoringStage): number {
  const file = join(partialFolder(stage.path('out.csv')), 'state.json');
  if (!existsSync(file)) return 0;
  const { parts }: { readonly parts: readonly { readonly rows: number }[] } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return parts.reduce((sum, part) => sum + part.rows, 0);
}

const partsOf = (stage: ScoringStage) =>
  readdirSync(partialFolder(stage.path('out.csv'))).filter((name) => /^part-\d+\.parquet$/.test(name));

describe('Scoring that was interrupted', function () {
  this.timeout(180_000);

  it('goes on after each kill -9 from the last complete part, and loses and doubles no row', async () => {
    await onScoringStage(async (stage) => {
      stage.put('in.csv', manyRows());
      await stage.score('in.csv', 'whole.csv');
      const job = stage.job('in.csv', 'out.csv', { keepMilliseconds: 25 });
      const reached: number[] = [];
      for (const share of [0.05, 0.3, 0.31, 0.6, 0.95]) {
        // A fast machine may have no more to say before it writes.
        const isFar = ({ phase, rows: scored }: ScoreProgress) =>
          phase === 'writing' || (phase === 'scoring' && scored >= share * rows);
        assert.ok(await killWhen(job, isFar));
        reached.push(rowsKept(stage));
      }
      assert.deepEqual(
        reached,
        reached.toSorted((one, other) => one - other),
      );
      assert.ok((reached.at(-1) ?? 0) > rows / 2, String(reached));
      assert.ok(await killWhen(job, ({ phase }) => phase === 'writing'));
      const report = await scoreFile(job, () => undefined);
      assert.equal(report.rows, rows);
      assert.ok(report.resumedRows >= (reached.at(-1) ?? rows));
      assert.ok(readFileSync(stage.path('out.csv')).equals(readFileSync(stage.path('whole.csv'))));
      assert.ok(!existsSync(partialFolder(stage.path('out.csv'))));
    });
  });

  it('goes on after a cancel, which keeps what was done', async () => {
    await onScoringStage(async (stage) => {
      stage.put('in.csv', manyRows());
      const workers = createWorkerProcesses(workerScript);
      const abort = new AbortController();
      const job = stage.job('in.csv', 'out.parquet', { keepMilliseconds: 25 });
      await assert.rejects(
        workers.run(job, {
          signal: abort.signal,
          progress(_fraction, message) {
            const told = readScoreProgress(message);
            if (told?.phase === 'scoring' && told.rows > rows / 2) abort.abort();
          },
        }),
        errorOfKind('cancelled'),
      );
      assert.ok(!existsSync(job.output));
      const fractions: number[] = [];
      const report = await workers.run(job, {
        signal: new AbortController().signal,
        progress: (fraction) => fractions.push(fraction),
      });
      assert.ok(report.resumedRows > 0 && report.resumedRows < rows, String(report.resumedRows));
      assert.deepEqual(
        fractions,
        fractions.toSorted((one, other) => one - other),
      );
      const [found] = await query(
        `SELECT count(*)::INT AS rows, count(DISTINCT id)::INT AS ids, bool_and(y = a + 1) AS right,
           bool_and(id = 'r' || file_row_number) AS ordered
         FROM read_parquet('${job.output}', file_row_number = true)`,
      );
      assert.deepEqual(found, { rows, ids: rows, right: true, ordered: true });
    });
  });

  it('takes a part that was being written for none', async () => {
    await onScoringStage(async (stage) => {
      await begin(stage);
      const folder = partialFolder(stage.path('out.csv'));
      writeFileSync(join(folder, 'part-999999.parquet'), 'half');
      writeFileSync(join(folder, 'part-000777.parquet.new'), 'half');
      writeFileSync(join(folder, 'state.json.new'), '{"for');
      const { rows: written } = await stage.score('in.csv', 'out.csv');
      assert.equal(written, rows);
      assert.equal(readFileSync(stage.path('out.csv'), 'utf8').trimEnd().split('\n').length, rows + 1);
    });
  });

  it('refuses another input, model or option, and leaves what there is', async () => {
    await onScoringStage(async (stage) => {
      await begin(stage);
      const parts = partsOf(stage);
      assert.ok(parts.length > 0);
      const refused = (message: RegExp, more: Partial<ScoreJob> = {}) =>
        assert.rejects(stage.score('in.csv', 'out.csv', more), (error) => {
          assert.ok(errorOfKind('scorePartialDiffers')(error), String(error));
          assert.match(String(error), message);
          return true;
        });
      const { model } = stage.job('in.csv', 'out.csv');
      await refused(/begun with version 3 of "wine"/, { model: { ...model, version: 4 } });
      await refused(/other options/, { onlyPredictions: true });
      await refused(/begun with the input .*in\.csv/, { input: stage.put('other.csv', 'a,b,c\n') });
      appendFileSync(stage.path('model.onnx'), Buffer.from([0x12, 1, 65]));
      await refused(/model's file is another one/);
      writeFileSync(stage.path('model.onnx'), linearModel());
      appendFileSync(stage.path('in.csv'), 'more,1,2,3\n');
      await refused(/input has changed/);
      assert.deepEqual(partsOf(stage), parts);
      const report = await stage.score('in.csv', 'out.csv', { restart: true });
      assert.deepEqual([report.rows, report.resumedRows], [rows + 1, 0]);
    });
  });

  it('has only its folder to remove when it was killed right after the output got its name', async () => {
    await onScoringStage(async (stage) => {
      await begin(stage);
      const folder = partialFolder(stage.path('out.csv'));
      const kept = stage.path('kept');
      mkdirSync(kept);
      cpSync(folder, kept, { recursive: true });
      await stage.score('in.csv', 'out.csv');
      const { ino } = statSync(stage.path('out.csv'));
      cpSync(kept, folder, { recursive: true });
      const state = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'));
      const bytes = statSync(stage.path('out.csv')).size;
      const warnings = ['what Python says', detail('exampleRefused', { why: 'too small' })];
      const complete = { bytes, rows, predictionColumns: ['y'], warnings };
      writeFileSync(join(folder, 'state.json'), JSON.stringify({ ...state, complete }));
      const report = await stage.score('in.csv', 'out.csv');
      assert.equal(report.rows, rows);
      assert.deepEqual(report.warnings, warnings);
      assert.equal(statSync(stage.path('out.csv')).ino, ino);
      assert.ok(!existsSync(folder));
    });
  });

  it('replaces an output only when told to, and at once', async () => {
    await onScoringStage(async (stage) => {
      stage.put('in.csv', 'a,b,c\n1,2,3\n');
      stage.put('out.csv', 'mine\n');
      await assert.rejects(stage.score('in.csv', 'out.csv'), errorOfKind('scoreOutputTaken'));
      assert.equal(readFileSync(stage.path('out.csv'), 'utf8'), 'mine\n');
      assert.ok(!existsSync(partialFolder(stage.path('out.csv'))));
      await stage.score('in.csv', 'out.csv', { force: true });
      assert.equal(readFileSync(stage.path('out.csv'), 'utf8'), 'a,b,c,y\n1,2,3,14.5\n');
    });
  });

  it('is done by one process at a time', async () => {
    await onScoringStage(async (stage) => {
      stage.put('in.csv', manyRows());
      const job = stage.job('in.csv', 'out.csv');
      let second: Promise<unknown> | null = null;
      const report = await scoreFile(job, () => {
        second ??= assert.rejects(
          scoreFile(job, () => undefined),
          errorOfKind('scoreRunning'),
        );
      });
      assert.ok(second);
      await second;
      assert.equal(report.rows, rows);
    });
  });

  it('notices that the input changes under way', async () => {
    await onScoringStage(async (stage) => {
      stage.put('in.csv', manyRows());
      let changed = false;
      await assert.rejects(
        scoreFile(stage.job('in.csv', 'out.csv'), (_fraction, { phase }) => {
          if (phase !== 'writing' || changed) return;
          changed = true;
          appendFileSync(stage.path('in.csv'), 'more,1,2,3\n');
        }),
        errorOfKind('scorePartialDiffers'),
      );
      assert.ok(changed && !existsSync(stage.path('out.csv')));
    });
  });
});
