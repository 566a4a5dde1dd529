import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scoreFile } from '../../src/worker/score/score.ts';
import { inTemporaryFolder } from '../engine/headless.ts';
import { pythonWithPeers } from '../python.ts';

const make = join(import.meta.dirname, '../fixtures/python/score_data.py');
const compare = join(import.meta.dirname, '../fixtures/python/score_compare.py');

describe('Scores, read in Python', function () {
  this.timeout(180_000);

  it('are those of onnxruntime, row by row, in every format, with the metadata that pyarrow finds', async function () {
    const python = pythonWithPeers(this);
    await inTemporaryFolder(async (folder) => {
      execFileSync(python, [make, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
      const reports: object[] = [];
      for (const input of ['data.csv', 'data.parquet', 'data.jsonl']) {
        for (const ending of ['csv', 'parquet', 'jsonl']) {
          const report = await scoreFile(
            {
              ...{ type: 'score', inputFormat: null, outputFormat: null, onlyPredictions: false },
              ...{ restart: false, force: false, keepMilliseconds: 5_000 },
              input: join(folder, input),
              output: join(folder, `${input}.scored.${ending}`),
              model: {
                ...{ name: 'colours', version: 7, labels: [] },
                source: { type: 'onnx', file: join(folder, 'model.onnx') },
                columns: ['acidity', 'colour', 'residual sugar'],
              },
            },
            () => undefined,
          );
          reports.push(report);
        }
      }
      writeFileSync(join(folder, 'reports.json'), JSON.stringify(reports));
      const answer = execFileSync(python, [compare, folder], { encoding: 'utf8' });
      assert.equal(answer.trim().split('\n').at(-1), 'compared 9 files of 10000 rows');
    });
  });
});
